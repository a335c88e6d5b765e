"""The conditions of an AvatarModel."""

from typing import Any

from avatar_operator.core.condition_drafts import update_status
from avatar_operator.model_lifecycle.actions import ModelDraft

ACCEPTED = "Accepted"
"""The runtime exists, the namespace may use it, and what is asked for is within its limits."""
TRAINED = "Trained"
"""The current revision has been trained."""
HOSTED = "Hosted"
"""An artifact lies, verified, where the endpoint loads models from."""
READY = "Ready"
"""Requests can draw with this model."""


def update_training(draft: ModelDraft, **changes: Any) -> ModelDraft:
    """The draft with some fields of status.training replaced."""
    assert draft.status.training is not None
    return update_status(draft, training=draft.status.training.model_copy(update=changes))


def waiting_message(attempt: int, reason: str = "", message: str = "") -> str:
    """What is said of an attempt that no worker has begun.

    Args:
        attempt: its number.
        reason: one word for why it does not go on, if the backend knows.
        message: the same for a person.
    """
    return f"Attempt {attempt} waits for a worker{f' ({reason}): {message}' if reason else '.'}"
