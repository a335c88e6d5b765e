"""Whether a worker's message can be true, as far as what its attempt was asked tells. Pure.

Whoever may write to the queue can make up a message. What it says is only ever shown, so a lie that could be true does
no harm but to a column; one that cannot be true is not even shown.
"""

from collections.abc import Mapping
from typing import Any

from avatar_api.documents.photos import MAX_PHOTOS
from avatar_api.documents.training import (
    MAX_CLASS_IMAGES,
    MAX_STEPS,
    ObjectIdentity,
    TrainingProgressMessage,
)
from avatar_api.endings import raw_active_attempt

MAX_PREPARED = MAX_PHOTOS + MAX_CLASS_IMAGES
"""What is prepared is counted one by one: photos, and pictures of the class."""


def is_possible(message: TrainingProgressMessage, model: Mapping[str, Any]) -> bool:
    """Whether an attempt of a model can have come as far as a message says.

    Args:
        message: of a worker, it says.
        model: as the API server has it, whatever version wrote its status.
    """
    metadata = model["metadata"]
    named = ObjectIdentity(namespace=metadata["namespace"], name=metadata["name"], uid=metadata["uid"])
    if message.model != named or message.step > message.total_steps:
        return False
    return message.total_steps <= (
        MAX_PREPARED if message.stage == "Preparing" else _asked_steps(message, model)
    )


def _asked_steps(message: TrainingProgressMessage, model: Mapping[str, Any]) -> int:
    training = raw_active_attempt(model)
    steps = None if training is None else training.get("steps")
    if training is None or training["inferenceId"] != message.inference_id or not isinstance(steps, int):
        # Of another attempt, or written down by a version that did not record it: no training has more than these.
        return MAX_STEPS
    return steps
