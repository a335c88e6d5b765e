"""What a lost attempt costs: the first nothing, each further one more time."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.failure import abandon_attempt
from builders.model_stages import planned
from builders.objects import a_model
from builders.observations import at, model_draft, observed_model


def test_after_the_first_lost_answer_the_next_attempt_follows_at_once() -> None:
    observation = observed_model(a_model(status=planned(attempt=1)))
    draft = abandon_attempt(observation, model_draft(observation))
    assert draft.requeue_after == 0
    assert draft.status.training is not None
    assert draft.status.training.inference_id is None
    assert draft.status.training.retry_time is None


def test_answers_that_keep_getting_lost_are_backed_off_from_in_the_status() -> None:
    waits = []
    for abandoned in (1, 2, 3):
        observation = observed_model(a_model(status=planned(attempt=7, abandoned=abandoned)), now=at(0))
        draft = abandon_attempt(observation, model_draft(observation))
        assert draft.status.training is not None
        assert draft.status.training.retry_time == at(draft.requeue_after or 0)
        waits.append(draft.requeue_after)
    assert waits == [30, 60, 120]


def test_a_lost_attempt_says_that_it_is_void() -> None:
    observation = observed_model(a_model(status=planned(attempt=2, abandoned=1)))
    trained = find_condition(
        abandon_attempt(observation, model_draft(observation)).status.conditions, "Trained"
    )
    assert trained is not None
    assert trained.reason == "RetryScheduled"
    assert "attempt 2" in trained.message


def test_a_void_attempt_is_no_failure() -> None:
    observation = observed_model(a_model(status=planned(attempt=5, failures=1)))
    training = abandon_attempt(observation, model_draft(observation)).status.training
    assert training is not None
    assert training.failures == 1


def test_answers_that_are_lost_for_ever_end_with_a_person() -> None:
    observation = observed_model(a_model(status=planned(attempt=12, failures=2, abandoned=9)))
    draft = abandon_attempt(observation, model_draft(observation))
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert trained.reason == "SubmissionsLost"
    assert draft.status.training is not None
    assert draft.status.training.retry_time is None
    assert draft.status.last_failure is not None
    assert not draft.status.last_failure.retryable


def test_one_lost_answer_less_is_tried_again() -> None:
    observation = observed_model(a_model(status=planned(attempt=12, failures=2, abandoned=8)))
    draft = abandon_attempt(observation, model_draft(observation))
    assert draft.status.training is not None
    assert draft.status.training.retry_time is not None


def test_a_plan_that_was_withdrawn_is_no_lost_answer() -> None:
    observation = observed_model(a_model(status=planned(attempt=30)))
    draft = abandon_attempt(observation, model_draft(observation))
    assert draft.requeue_after == 0
    assert draft.status.training is not None
    assert draft.status.training.abandoned == 1
