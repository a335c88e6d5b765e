"""Progress: stage and steps of the running attempt, written rarely enough to be quiet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.documents.training import Stage
from avatar_operator.backends.attempts import AttemptPending
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.phases.progress import percent_of, progress
from builders import model_stages
from builders.clock import NOON
from builders.objects import a_model
from builders.observations import a_progress_message, at, model_draft, observed_model


def _after(
    status: AvatarModelStatus, stage: Stage, step: int, total: int = 100, attempt: int = 1
) -> AvatarModelStatus:
    message = a_progress_message(stage, step, total, attempt=attempt, remaining=30)
    observation = observed_model(a_model(status=status), progress=message)
    return progress(observation, model_draft(observation)).status


def test_a_new_stage_is_written_at_once() -> None:
    status = _after(model_stages.submitted(), "Preparing", 0)

    trained = find_condition(status.conditions, "Trained")
    assert trained is not None
    assert (trained.status, trained.reason) == ("False", "Preparing")


@pytest.mark.parametrize(("told", "asked", "percent"), [(None, 2, 20), (1, 2, 20), (3, 2, 30), (1, None, 10)])
def test_the_newest_message_counts_whether_it_was_told_or_asked_for(
    told: int | None, asked: int | None, percent: int
) -> None:
    messages = {
        sequence: a_progress_message("Training", 10 * sequence, sequence=sequence) for sequence in (1, 2, 3)
    }
    observation = observed_model(
        a_model(status=model_stages.submitted()),
        progress=None if told is None else messages[told],
        outcome=AttemptPending(progress=None if asked is None else messages[asked]),
    )

    training = progress(observation, model_draft(observation)).status.training
    assert training is not None
    assert training.progress is not None
    assert training.progress.percent == percent


def test_steps_are_written_with_percent_and_estimate() -> None:
    status = _after(model_stages.submitted(), "Training", 40, 200)

    assert status.training is not None
    assert status.training.progress is not None
    assert status.training.progress.to_wire() == {
        "step": 40,
        "totalSteps": 200,
        "percent": 20,
        "estimatedRemainingSeconds": 30,
    }


def test_less_than_five_percent_more_is_not_worth_a_write() -> None:
    status = _after(model_stages.submitted(), "Training", 20)

    assert _after(status, "Training", 24) == status


def test_five_percent_more_is_worth_a_write() -> None:
    status = _after(model_stages.submitted(), "Training", 20)

    assert _after(status, "Training", 25) != status


def test_five_percent_less_is_worth_a_write_because_more_may_have_been_made_up() -> None:
    forged = _after(model_stages.submitted(), "Training", 99)

    assert _after(forged, "Training", 95) == forged
    honest = _after(forged, "Training", 20).training
    assert honest is not None
    assert honest.progress is not None
    assert honest.progress.percent == 20


def test_prepared_photos_are_no_progress_of_the_training() -> None:
    status = _after(model_stages.submitted(), "Preparing", 12, 12)
    assert status.training is not None
    assert status.training.progress is not None
    assert status.training.progress.percent == 0

    status = _after(status, "Training", 10)
    assert status.training is not None
    assert status.training.progress is not None
    assert status.training.progress.percent == 10


def test_the_first_message_says_that_a_worker_began() -> None:
    training = _after(model_stages.submitted(), "Preparing", 0).training

    assert training is not None
    assert training.start_time == NOON


def test_later_messages_leave_the_time_at_which_a_worker_began() -> None:
    began = at(-500)

    training = _after(model_stages.working(since=began), "Training", 50).training

    assert training is not None
    assert training.start_time == began


def test_a_message_of_another_attempt_says_nothing() -> None:
    status = model_stages.submitted(attempt=2)

    assert _after(status, "Training", 50, attempt=1) == status


def test_a_message_that_comes_after_the_end_says_nothing() -> None:
    assert _after(model_stages.hosted(), "Training", 50) == model_stages.hosted()


def test_a_message_for_an_attempt_that_is_only_planned_says_nothing() -> None:
    assert _after(model_stages.planned(), "Training", 50) == model_stages.planned()


@pytest.mark.parametrize(
    ("stage", "step", "total", "percent"),
    [
        ("Preparing", 0, 0, 0),
        ("Preparing", 12, 12, 0),
        ("Training", 0, 0, 0),
        ("Training", 1, 3, 33),
        ("Training", 9, 3, 100),
        ("Packaging", 0, 0, 100),
    ],
)
def test_percent_are_those_of_the_steps(stage: Stage, step: int, total: int, percent: int) -> None:
    assert percent_of(a_progress_message(stage, step, total)) == percent


@given(st.lists(st.integers(0, 1000), max_size=200).map(sorted))
def test_a_whole_training_of_any_pace_writes_at_most_twenty_one_times(steps: list[int]) -> None:
    status, writes = model_stages.submitted(), 0
    for step in steps:
        written = _after(status, "Training", step, 1000)
        writes += written != status
        status = written

    assert writes <= 21
