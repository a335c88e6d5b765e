"""Deadline: an attempt that takes too long is stopped, so that nothing waits for ever on a message that never comes."""

from datetime import timedelta

from avatar_operator.model_lifecycle.actions import CancelAttempt, ModelDraft
from avatar_operator.model_lifecycle.failure import fail_attempt
from avatar_operator.model_lifecycle.observation import ModelObservation, attempt_reference, is_submitted


def deadline(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Stop an attempt that is overdue; otherwise look again when it will be."""
    training = draft.status.training
    if training is None or not is_submitted(training) or observation.runtime is None:
        return draft
    assert training.planned_time is not None
    allowed = (
        observation.model.spec.active_deadline_seconds
        or observation.runtime.spec.limits.training.active_deadline_seconds
    )
    due = training.planned_time + timedelta(seconds=allowed)
    if observation.now < due:
        return draft.look_again_in((due - observation.now).total_seconds())
    draft = draft.act(CancelAttempt(attempt_reference(observation.runtime, observation.model, training)))
    return fail_attempt(
        observation,
        draft,
        reason="DeadlineExceeded",
        message=f"The attempt did not end within {allowed} s, queueing included.",
        retryable=False,
    )
