"""Deadline: an attempt that waits or works for too long is stopped, and waiting does not count as work."""

from datetime import datetime

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.actions import CancelAttempt, ModelDraft
from avatar_operator.model_lifecycle.phases.deadline import deadline
from builders import model_stages
from builders.manifests import Changes
from builders.objects import a_model, a_runtime
from builders.observations import at, model_draft, observed_model

STANDARD = a_runtime()
WAITING = pytest.mark.parametrize(
    "status", [model_stages.planned(), model_stages.submitted()], ids=["planned", "submitted"]
)


def _after(
    status: AvatarModelStatus,
    now: datetime,
    *,
    spec: Changes | None = None,
    runtime: AvatarRuntime | None = STANDARD,
) -> ModelDraft:
    observation = observed_model(a_model(status=status, spec=spec), runtime=runtime, now=now)
    return deadline(observation, model_draft(observation))


def _due(draft: ModelDraft, seen_at: float) -> float:
    """Seconds after noon at which an attempt that goes on is due."""
    assert draft.actions == ()
    assert draft.requeue_after is not None
    return seen_at + draft.requeue_after


def _end(draft: ModelDraft) -> tuple[str, str]:
    """Reason and message of an attempt that was stopped for good."""
    (action,) = draft.actions
    assert isinstance(action, CancelAttempt)
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert draft.status.training is not None
    assert draft.status.training.retry_time is None
    assert draft.status.last_failure is not None
    assert draft.status.last_failure.reason == trained.reason
    return trained.reason, trained.message


@WAITING
def test_an_attempt_that_waits_has_the_queue_deadline_from_its_plan_on(status: AvatarModelStatus) -> None:
    assert _due(_after(status, at(200)), 200) == 21600


@WAITING
def test_an_attempt_that_no_worker_began_is_stopped_by_the_queue_deadline(status: AvatarModelStatus) -> None:
    reason, message = _end(_after(status, at(21600)))

    assert reason == "QueueDeadlineExceeded"
    assert "No worker began attempt 1 within 21600 s" in message


def test_an_attempt_that_works_has_the_active_deadline_from_its_start_on() -> None:
    status = model_stages.working(since=at(20_000))

    assert _due(_after(status, at(21_000)), 21_000) == 27_200


def test_time_in_the_queue_is_not_taken_from_the_time_to_work() -> None:
    status = model_stages.working(since=at(21_599))

    assert _due(_after(status, at(22_000)), 22_000) == 21_599 + 7200


def test_an_attempt_that_works_too_long_is_stopped_by_the_active_deadline() -> None:
    reason, message = _end(_after(model_stages.working(since=at(100)), at(7300)))

    assert reason == "DeadlineExceeded"
    assert "did not end within 7200 s of work" in message


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        (model_stages.submitted(), {"queueDeadlineSeconds": 60}),
        (model_stages.working(since=at(0)), {"activeDeadlineSeconds": 60}),
    ],
    ids=["waiting", "working"],
)
def test_the_models_own_deadline_goes_before_a_longer_one_of_the_runtime(
    status: AvatarModelStatus, spec: Changes
) -> None:
    assert _due(_after(status, at(59), spec=spec), 59) == 60
    _end(_after(status, at(60), spec=spec))


@pytest.mark.parametrize(
    ("status", "wish", "limit"),
    [
        (
            model_stages.submitted(),
            {"queueDeadlineSeconds": 9000, "activeDeadlineSeconds": 60},
            {"queueDeadlineSeconds": 300},
        ),
        (
            model_stages.working(since=at(0)),
            {"activeDeadlineSeconds": 9000, "queueDeadlineSeconds": 60},
            {"activeDeadlineSeconds": 300},
        ),
    ],
    ids=["waiting", "working"],
)
def test_a_limit_that_a_runtime_lowers_holds_for_attempts_under_way(
    status: AvatarModelStatus, wish: Changes, limit: Changes
) -> None:
    runtime = a_runtime(spec={"limits": {"training": limit}})

    assert _due(_after(status, at(0), spec=wish, runtime=runtime), 0) == 300


@pytest.mark.parametrize(
    "status",
    [model_stages.hosted(), model_stages.failed(), model_stages.failed(retry_in=30), model_stages.waiting()],
    ids=["hosted", "failed", "to be tried again", "not planned"],
)
def test_without_an_attempt_under_way_there_is_no_deadline(status: AvatarModelStatus) -> None:
    draft = _after(status, at(1_000_000))

    assert (draft.status, draft.actions, draft.requeue_after) == (status, (), None)


def test_a_plan_that_nobody_was_called_for_ends_without_a_call() -> None:
    observation = observed_model(a_model(status=model_stages.planned()), now=at(21600), planned_here=True)

    draft = deadline(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.status.last_failure is not None
    assert draft.status.last_failure.reason == "QueueDeadlineExceeded"


def test_without_its_runtime_nobody_can_stop_an_attempt() -> None:
    assert _after(model_stages.submitted(), at(1_000_000), runtime=None).actions == ()
