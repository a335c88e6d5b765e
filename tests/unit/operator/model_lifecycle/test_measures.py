"""What is counted and timed of a model when its status has been written."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.group import AVATAR_MODEL
from avatar_api.meta import Failure
from avatar_operator.backends.failures import OutcomeUnknownError
from avatar_operator.model_lifecycle.measures import measure
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders import model_stages
from builders.clock import NOON
from builders.objects import a_model, an_artifact
from builders.observations import at, observed_model
from builders.world import World

OF_TEAM_A = {"kind": "AvatarModel", "namespace": "team-a"}


class Measured:
    """The series after one write of a status."""

    def __init__(self, before: AvatarModelStatus, after: AvatarModelStatus, *, seconds: float) -> None:
        self._registry = CollectorRegistry()
        observation = observed_model(a_model(status=before), now=at(seconds))
        measure(OperatorMetrics(self._registry), observation, after)

    def value(self, name: str, **labels: str) -> float | None:
        """One sample."""
        return self._registry.get_sample_value(name, labels)

    def in_queue(self) -> tuple[float | None, float | None]:
        """How many trainings waited, and for how long in sum."""
        return (
            self.value("avatar_time_in_queue_seconds_count", backend="sagemaker"),
            self.value("avatar_time_in_queue_seconds_sum", backend="sagemaker"),
        )


def test_the_time_in_the_queue_ends_when_the_worker_began_whoever_says_so() -> None:
    measured = Measured(model_stages.submitted(), model_stages.working(since=at(40)), seconds=50)

    assert measured.in_queue() == (1, 40)


def test_a_worker_whose_clock_is_behind_has_kept_nobody_waiting_for_less_than_no_time() -> None:
    measured = Measured(model_stages.submitted(), model_stages.working(since=at(-5)), seconds=1)

    assert measured.in_queue() == (1, 0)


def test_a_training_that_was_over_before_anybody_noticed_its_beginning_waited_for_what_it_did_not_work() -> (
    None
):
    measured = Measured(model_stages.submitted(), model_stages.hosted(), seconds=100)

    assert measured.in_queue() == (1, 40)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (model_stages.submitted(), model_stages.submitted(artifact=an_artifact())),
        (model_stages.working(since=at(1)), model_stages.working(since=at(1))),
        (model_stages.planned(), model_stages.working(since=at(1))),
        (model_stages.submitted(), model_stages.failed()),
    ],
    ids=["waiting", "noticed before", "its submission was not seen", "no worker ever came"],
)
def test_the_time_in_the_queue_is_measured_once_and_only_if_it_is_known(
    before: AvatarModelStatus, after: AvatarModelStatus
) -> None:
    assert Measured(before, after, seconds=2).in_queue() == (0, 0)


@pytest.mark.parametrize(
    ("after", "outcome"), [(model_stages.hosted(), "succeeded"), (model_stages.failed(), "failed")]
)
def test_the_end_of_an_attempt_is_timed_from_its_submission(after: AvatarModelStatus, outcome: str) -> None:
    measured = Measured(model_stages.submitted(), after, seconds=90)

    assert measured.value("avatar_training_duration_seconds_sum", backend="sagemaker", outcome=outcome) == 90


def test_seconds_of_work_are_counted_be_it_in_vain() -> None:
    labels = {"backend": "sagemaker", **OF_TEAM_A}
    training = model_stages.failed().training
    assert training is not None
    in_vain = model_stages.failed().model_copy(
        update={"training": training.model_copy(update={"seconds": 30})}
    )

    for after, seconds in ((model_stages.hosted(), 60), (in_vain, 30), (model_stages.failed(), None)):
        measured = Measured(model_stages.submitted(), after, seconds=90)
        assert measured.value("avatar_gpu_seconds_total", **labels) == seconds


def test_a_failure_is_counted_when_it_is_written_and_not_once_more_while_it_stands() -> None:
    failure = Failure(reason="TooFewUsablePhotos", message="", retryable=False, time=NOON)
    before = model_stages.submitted()
    after = model_stages.failed().model_copy(update={"last_failure": failure})
    labels = {**OF_TEAM_A, "reason": "TooFewUsablePhotos", "retryable": "false"}

    assert Measured(before, after, seconds=1).value("avatar_failures_total", **labels) == 1
    assert Measured(after, after, seconds=1).value("avatar_failures_total", **labels) is None


async def test_an_attempt_that_is_given_up_because_its_answer_was_lost_is_counted(world: World) -> None:
    world.backend.script("submit_training", OutcomeUnknownError("no answer"))
    await world.settle(AVATAR_MODEL)

    assert world.model.status.training is not None
    assert world.model.status.training.attempt == 2
    assert world.registry.get_sample_value("avatar_attempts_abandoned_total", {"namespace": "team-a"}) == 1
