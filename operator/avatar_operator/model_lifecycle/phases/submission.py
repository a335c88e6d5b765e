"""Submission: call the backend for the attempt that stands planned in the status."""

from avatar_operator.backends.failures import BackendError
from avatar_operator.model_lifecycle.actions import ModelDraft, SubmitTraining
from avatar_operator.model_lifecycle.conditions import update_training
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
)
from avatar_operator.model_lifecycle.phases.acceptance import photo_refusal
from avatar_operator.model_lifecycle.training_request import build_training_request


def submission(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Submit the planned attempt with the photos as they are now."""
    training = draft.status.training
    if training is None or not is_active(training) or is_submitted(training):
        return draft
    runtime, photos = observation.runtime, observation.photos
    assert runtime is not None
    if observation.model.spec.suspend or photo_refusal(runtime, photos) is not None:
        # Nobody was called yet, so the plan can be withdrawn; the next pass says why there is no other one.
        return update_training(draft, inference_id=None, planned_time=None).look_again_in(0).finish()
    assert photos is not None
    assert not isinstance(photos, BackendError)
    attempt = attempt_reference(runtime, observation.model, training)
    request = build_training_request(
        runtime, observation.model, attempt, photos, observation.progress_destination
    )
    return draft.act(SubmitTraining(attempt, request))
