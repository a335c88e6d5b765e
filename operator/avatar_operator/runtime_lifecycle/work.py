"""What a runtime's endpoints are at work on: attempts and drawings. Pure.

Objects are read as they come from the API server: there may be thousands, and some may be of a newer version.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from avatar_api.endings import raw_active_attempt, raw_request_has_ended

Body = dict[str, Any]


@dataclass(frozen=True)
class ActiveAttempt:
    """An attempt that is planned or under way; its endpoint is known once it was submitted."""

    endpoint_name: str | None
    planned: datetime | None


@dataclass(frozen=True)
class Work:
    """Every active attempt, and how many requests are being drawn."""

    attempts: tuple[ActiveAttempt, ...] = ()
    drawing: int = 0


def work_of(runtime_name: str, models: Iterable[Body], requests: Iterable[Body]) -> Work:
    """The work of a runtime.

    Args:
        runtime_name: the runtime.
        models: the AvatarModels that name it.
        requests: every AvatarRequest.
    """
    trainings = (raw_active_attempt(model) for model in models)
    return Work(
        attempts=tuple(
            ActiveAttempt(
                training.get("sagemaker", {}).get("endpointName"), _instant(training.get("plannedTime"))
            )
            for training in trainings
            if training is not None
        ),
        drawing=sum(_is_drawing(runtime_name, request) for request in requests),
    )


def _is_drawing(runtime_name: str, request: Body) -> bool:
    status = request.get("status", {})
    return (
        status.get("runtimeName") == runtime_name and "model" in status and not raw_request_has_ended(request)
    )


def _instant(wire: str | None) -> datetime | None:
    return None if wire is None else datetime.fromisoformat(wire)
