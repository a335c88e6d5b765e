"""What a refusal and the end of a failed attempt mean: try again later, or never. Pure.

Only what may work the next time is tried again, and each time after twice the wait. The count and the time stand in
the status, so a restart of the operator neither forgets a failure nor hammers a backend. (cert-manager keeps
`failedIssuanceAttempts` for the same reason.)
"""

from datetime import timedelta

from avatar_api.meta import Failure
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import shortened
from avatar_operator.costs import training_cost
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training
from avatar_operator.model_lifecycle.observation import ModelObservation

MAX_BACKOFF_SECONDS = 3600
MAX_ABANDONED = 10
"""Attempts of one revision that may be given up because their answers were lost."""


def record_refusal(
    observation: ModelObservation, draft: ModelDraft, *, reason: str, message: str, retryable: bool
) -> ModelDraft:
    """The draft of a model that is not trained as it is, told like any failure. What stands there already keeps its time.

    Args:
        observation: what was observed.
        draft: the decision so far.
        reason: one CamelCase word.
        message: what is wrong and how to mend it.
        retryable: whether it is looked at again by itself.
    """
    known = draft.status.last_failure
    failure = Failure(reason=reason, message=shortened(message), retryable=retryable, time=observation.now)
    if known is not None and (known.reason, known.message) == (failure.reason, failure.message):
        failure = known
    return update_status(draft, last_failure=failure)


def fail_attempt(
    observation: ModelObservation, draft: ModelDraft, *, reason: str, message: str, retryable: bool
) -> ModelDraft:
    """Record that the current attempt failed.

    Args:
        observation: what was observed.
        draft: the decision so far, with an active attempt.
        reason: one CamelCase word, the worker's error code where there is one.
        message: what happened and how to mend it.
        retryable: whether the same training may succeed if tried again.
    """
    training = draft.status.training
    assert training is not None
    assert observation.runtime is not None
    limits = observation.runtime.spec.limits.training
    failures = training.failures + 1
    again = retryable and failures < limits.max_attempts
    wait = _backoff_seconds(limits.backoff_seconds, failures)
    # What a worker does in vain is paid for all the same.
    worked = None if training.start_time is None else (observation.now - training.start_time).total_seconds()
    draft = update_training(
        draft,
        failures=failures,
        completion_time=observation.now,
        progress=None,
        seconds=None if worked is None else round(worked),
        estimated_cost=None if worked is None else training_cost(observation.runtime, worked),
        retry_time=observation.now + timedelta(seconds=wait) if again else None,
    )
    draft = update_status(
        draft,
        last_failure=Failure(
            reason=reason, message=shortened(message), retryable=again, time=observation.now
        ),
    )
    if again:
        explanation = f"Attempt {training.attempt} failed, trying again in {wait} s ({reason}): {message}"
        draft = set_condition(observation, draft, TRAINED, "False", "RetryScheduled", explanation)
        return draft.look_again_in(wait)
    hint = "" if retryable else " Raise spec.revision to train again once that is mended."
    return set_condition(observation, draft, TRAINED, "False", reason, f"{message}{hint}")


def abandon_attempt(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Record that the current attempt never started and never will: it was fenced.

    The first one is followed by the next attempt at once, since a restart of the operator must cost nobody time. If
    answers keep getting lost, something is wrong with the backend, and each further attempt waits longer; after some of
    them a person is asked.
    """
    training = draft.status.training
    assert training is not None
    assert observation.runtime is not None
    abandoned = training.abandoned + 1
    draft = update_training(draft, abandoned=abandoned)
    if abandoned >= MAX_ABANDONED:
        return fail_attempt(
            observation,
            draft,
            reason="SubmissionsLost",
            message=f"Of {MAX_ABANDONED} attempts nobody could tell whether they arrived at the training endpoint; all are"
            " void. Look at the operator's log and at its connection to the backend.",
            retryable=False,
        )
    draft = update_training(draft, inference_id=None, planned_time=None)
    if abandoned == 1:
        return draft.look_again_in(0)
    wait = _backoff_seconds(observation.runtime.spec.limits.training.backoff_seconds, abandoned - 1)
    explanation = f"Whether attempt {training.attempt} arrived could not be told; it is void, the next follows in {wait} s."
    draft = update_training(draft, retry_time=observation.now + timedelta(seconds=wait))
    return set_condition(observation, draft, TRAINED, "False", "RetryScheduled", explanation).look_again_in(
        wait
    )


def _backoff_seconds(first: int, failures: int) -> int:
    # The exponent is bounded too: a power of a large count would be computed before it is cut.
    return min(first << min(failures - 1, 12), MAX_BACKOFF_SECONDS)
