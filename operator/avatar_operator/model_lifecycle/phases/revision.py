"""Revision: another `spec.revision` starts over. What is hosted stays hosted until the new artifact replaces it."""

from avatar_api.training_status import TrainingStatus
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.model_lifecycle.actions import CancelAttempt, ModelDraft
from avatar_operator.model_lifecycle.conditions import TRAINED
from avatar_operator.model_lifecycle.observation import ModelObservation, attempt_reference, is_active


def revision(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Forget the training of another revision, and stop it if it still runs."""
    wanted = observation.model.spec.revision
    training = draft.status.training
    if training is not None and training.revision == wanted:
        return draft
    if training is not None and is_active(training):
        if observation.runtime is None:
            # Only the runtime says where claims lie; until it is back, nobody can stop the old attempt.
            return draft
        draft = draft.act(CancelAttempt(attempt_reference(observation.runtime, observation.model, training)))
    draft = update_status(draft, training=TrainingStatus(revision=wanted, attempt=0), last_failure=None)
    return set_condition(
        observation, draft, TRAINED, "False", "Pending", f"Revision {wanted} has not been trained yet."
    )
