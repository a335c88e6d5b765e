"""Deadline: an attempt that takes too long is stopped."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.actions import CancelAttempt
from avatar_operator.model_lifecycle.phases.deadline import deadline
from builders import model_stages
from builders.objects import a_model, a_runtime
from builders.observations import at, model_draft, observed_model


def test_an_attempt_in_time_is_looked_at_again_when_it_is_due() -> None:
    observation = observed_model(a_model(status=model_stages.submitted()), now=at(200))

    draft = deadline(observation, model_draft(observation))

    assert draft.requeue_after == 7000
    assert draft.actions == ()


def test_an_overdue_attempt_is_stopped_and_has_failed_for_good() -> None:
    observation = observed_model(a_model(status=model_stages.submitted()), now=at(7200))

    draft = deadline(observation, model_draft(observation))

    assert isinstance(draft.actions[0], CancelAttempt)
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert trained.reason == "DeadlineExceeded"
    assert "within 7200 s, queueing included" in trained.message
    assert draft.status.training is not None
    assert draft.status.training.retry_time is None


def test_the_models_own_deadline_goes_before_the_runtimes() -> None:
    model = a_model(spec={"activeDeadlineSeconds": 60}, status=model_stages.submitted())
    observation = observed_model(model, now=at(60))

    assert deadline(observation, model_draft(observation)).status.last_failure is not None


def test_the_runtimes_deadline_is_that_of_its_limits() -> None:
    runtime = a_runtime(spec={"limits": {"training": {"activeDeadlineSeconds": 300}}})
    observation = observed_model(a_model(status=model_stages.submitted()), runtime=runtime)

    assert deadline(observation, model_draft(observation)).requeue_after == 300


def test_an_attempt_that_has_ended_has_no_deadline() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()), now=at(100_000))

    assert deadline(observation, model_draft(observation)) == model_draft(observation)
