"""The conditions of an AvatarRequest, and what they say of its progress."""

from avatar_api import endings
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.core.conditions import find_condition

ACCEPTED = "Accepted"
"""What is asked for is within the runtime's limits and allowed locations."""
MODEL_RESOLVED = "ModelResolved"
"""The model exists in this namespace and has a hosted artifact: `status.model`, with which every picture is drawn."""
SUCCEEDED = endings.SUCCEEDED
"""Every picture has been drawn and lies in storage."""
READY = "Ready"
"""The same in the word that generic tools know."""


def is_finished(status: AvatarRequestStatus) -> bool:
    """Whether the request has succeeded, or failed for good."""
    succeeded = find_condition(status.conditions, SUCCEEDED)
    return endings.request_has_ended(None if succeeded is None else succeeded.status)


def has_failed(status: AvatarRequestStatus) -> bool:
    """Whether the request has failed for good."""
    succeeded = find_condition(status.conditions, SUCCEEDED)
    return succeeded is not None and succeeded.status == "False"


def is_drawing(status: AvatarRequestStatus) -> bool:
    """Whether the request has been given the artifact that it draws with, and is not finished."""
    return status.model is not None and not is_finished(status)
