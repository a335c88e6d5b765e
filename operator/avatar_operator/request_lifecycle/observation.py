"""Everything that a decision about an AvatarRequest depends on, gathered once and frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.conditions import SUCCEEDED


@dataclass(frozen=True)
class DrawingNotes:
    """What this process has seen of the drawing so far. Lost with the process; only timings suffer."""

    started: datetime | None = None
    loading_since: datetime | None = None
    cold_load_seconds: float = 0.0
    generate_seconds: float = 0.0
    failures: int = 0


@dataclass(frozen=True)
class RequestObservation:
    """An AvatarRequest and its surroundings at one instant.

    Attributes:
        now: the instant.
        request: the object as last seen.
        model: the AvatarModel it names in its own namespace, or None if there is none.
        runtime: the AvatarRuntime of that model, or None.
        existing: file names of the pictures that lie in storage already; None if nothing needed them.
        pictures: all of them with their checksums, once none is missing.
        storage_error: why it could not be found out what lies in storage, or None.
        notes: what this process has seen of the drawing.
    """

    now: datetime
    request: AvatarRequest
    model: AvatarModel | None
    runtime: AvatarRuntime | None
    existing: frozenset[str] | None = None
    pictures: Sequence[Picture] | None = None
    storage_error: BackendError | None = None
    notes: DrawingNotes = DrawingNotes()

    @property
    def generation(self) -> int:
        """The generation of the request's spec."""
        return self.request.metadata.generation


def is_finished(request: AvatarRequest) -> bool:
    """Whether the request has succeeded or failed for good."""
    succeeded = find_condition(request.status.conditions, SUCCEEDED)
    return request.status.state in ("Succeeded", "Failed") and succeeded is not None
