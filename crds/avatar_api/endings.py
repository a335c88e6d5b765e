"""When something has come to an end: one rule for each kind, for whoever reads an object typed and for whoever reads it raw.

Objects are read raw where there are thousands of them, and where some may be of another version.
"""

from collections.abc import Mapping
from typing import Any

SUCCEEDED = "Succeeded"
"""The condition of an AvatarRequest that says how it ended."""


def request_has_ended(succeeded: str | None) -> bool:
    """Whether an AvatarRequest has ended, good or bad.

    Args:
        succeeded: the status of its condition Succeeded; None if it has none.
    """
    return succeeded in ("True", "False")


def attempt_is_active(inference_id: str | None, completion_time: object | None) -> bool:
    """Whether the attempt that an AvatarModel's status names is planned or under way.

    Args:
        inference_id: of the attempt; None if none is planned.
        completion_time: when it ended; None if it has not.
    """
    return inference_id is not None and completion_time is None


def raw_request_has_ended(request: Mapping[str, Any]) -> bool:
    """The same, of an AvatarRequest as the API server has it."""
    conditions = request.get("status", {}).get("conditions", ())
    return any(
        request_has_ended(condition.get("status"))
        for condition in conditions
        if condition.get("type") == SUCCEEDED
    )


def raw_active_attempt(model: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`status.training` of an AvatarModel as the API server has it, if its attempt is active; else None."""
    training: Mapping[str, Any] = model.get("status", {}).get("training") or {}
    active = attempt_is_active(training.get("inferenceId"), training.get("completionTime"))
    return training if active else None
