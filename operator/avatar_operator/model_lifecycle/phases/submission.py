"""Submission: call the backend for the attempt that stands planned in the status."""

from avatar_operator.backends.base import BackendError
from avatar_operator.model_lifecycle.actions import ModelDraft, SubmitTraining
from avatar_operator.model_lifecycle.failure import fail_attempt
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
)
from avatar_operator.model_lifecycle.training_request import build_training_request


def submission(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Submit the planned attempt with the photos as they are now."""
    training = draft.status.training
    if training is None or not is_active(training) or is_submitted(training):
        return draft
    assert observation.runtime is not None
    if isinstance(observation.photos, BackendError):
        reason, message = observation.photos.reason, observation.photos.message
        return fail_attempt(observation, draft, reason=reason, message=message, retryable=False)
    assert observation.photos is not None
    request = build_training_request(
        observation.runtime,
        observation.model,
        attempt_reference(observation.model, training),
        observation.photos,
    )
    return draft.act(SubmitTraining(request))
