"""What a runtime's endpoints are at work on: attempts and drawings. Pure.

Objects are read as they come from the API server: there may be thousands, and some may be of a newer version.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    trainings = (model.get("status", {}).get("training", {}) for model in models)
    return Work(
        attempts=tuple(
            ActiveAttempt(
                training.get("sagemaker", {}).get("endpointName"), _instant(training.get("plannedTime"))
            )
            for training in trainings
            if "inferenceId" in training and "completionTime" not in training
        ),
        drawing=sum(_is_drawing(runtime_name, request.get("status", {})) for request in requests),
    )


def is_finished(status: Body) -> bool:
    """Whether a request's status says that it has ended, good or bad."""
    return any(
        condition.get("type") == "Succeeded" and condition.get("status") in ("True", "False")
        for condition in status.get("conditions", ())
    )


def _is_drawing(runtime_name: str, status: Body) -> bool:
    return status.get("runtimeName") == runtime_name and "model" in status and not is_finished(status)


def _instant(wire: str | None) -> datetime | None:
    return None if wire is None else datetime.fromisoformat(wire)
