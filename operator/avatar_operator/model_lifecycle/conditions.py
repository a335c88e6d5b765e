"""The conditions of an AvatarModel, and the helpers phases set them with."""

from typing import Any

from avatar_api.meta import ConditionStatus
from avatar_operator.core.conditions import with_condition
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.observation import ModelObservation

ACCEPTED = "Accepted"
"""The runtime exists, the namespace may use it, and what is asked for is within its limits."""
TRAINED = "Trained"
"""The current revision has been trained."""
HOSTED = "Hosted"
"""An artifact lies, verified, where the endpoint loads models from."""
READY = "Ready"
"""Requests can draw with this model."""


def set_condition(
    observation: ModelObservation,
    draft: ModelDraft,
    condition_type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
) -> ModelDraft:
    """The draft with one condition set."""
    conditions = with_condition(
        draft.status.conditions,
        condition_type,
        status,
        reason,
        message,
        now=observation.now,
        generation=observation.model.metadata.generation,
    )
    return update_status(draft, conditions=conditions)


def update_status(draft: ModelDraft, **changes: Any) -> ModelDraft:
    """The draft with some fields of its status replaced."""
    return draft.with_status(draft.status.model_copy(update=changes))


def update_training(draft: ModelDraft, **changes: Any) -> ModelDraft:
    """The draft with some fields of status.training replaced."""
    assert draft.status.training is not None
    return update_status(draft, training=draft.status.training.model_copy(update=changes))
