"""Recovery: a planned attempt of which nobody knows whether it was submitted.

The plan stands in the status, the answer does not, and it was not this process that planned it (or its answer was
lost). Calling again could bill a training twice, so the attempt is fenced first: see `backends.storage`.
"""

from avatar_operator.model_lifecycle.actions import FenceAttempt, ModelDraft
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
)


def recovery(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Fence an attempt whose fate is unknown."""
    training = draft.status.training
    if training is None or not is_active(training) or is_submitted(training):
        return draft
    if observation.runtime is None:
        # Only the runtime says where claims lie; when it is back, so is this model.
        return draft.finish()
    if observation.planned_here:
        return draft
    return draft.act(
        FenceAttempt(attempt_reference(observation.runtime, observation.model, training))
    ).finish()
