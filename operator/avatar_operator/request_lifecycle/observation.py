"""Everything that a decision about an AvatarRequest depends on, gathered once and frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus, Picture
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.runtime_limits import InferenceLimits
from avatar_operator.backends.failures import BackendError
from avatar_operator.request_lifecycle.notes import DrawingNotes


@dataclass(frozen=True)
class RequestObservation:
    """An AvatarRequest and its surroundings at one instant.

    Attributes:
        now: the instant.
        request: the object as last seen, its status as far as it is believed.
        model: the AvatarModel it names in its own namespace, or None if there is none, or nobody needs it any more.
        model_names: the AvatarModels of the namespace, gathered if there is none of the name.
        runtime: the AvatarRuntime that the request draws with, until then that of the model, or None.
        runtime_is_foreign: whether that is not this operator's, so that there is none.
        obstacle: why the backend can never draw the request, or None.
        namespace_labels: the labels of the request's namespace, gathered if the runtime chooses tenants by them.
        queue_limit_seconds: how long the request may wait at most, by its runtime or those that admit its namespace.
        existing: file names of the pictures that lie in storage already; None if nothing needed them.
        pictures: all of them with their checksums, once none is missing.
        storage_error: why it could not be found out what lies in storage, or None.
        has_place: whether the namespace's quota leaves room; asked only when drawing is about to begin.
        notes: what this process has seen of the drawing.
        recorded: its status as it stands; None if all of it is believed.
        foreign: fields of the status that the operator cannot have written.
        asked_since: since when the runtime has been asked to take over what a request that goes leaves behind.
    """

    now: datetime
    request: AvatarRequest
    model: AvatarModel | None
    runtime: AvatarRuntime | None
    obstacle: BackendError | None = None
    model_names: tuple[str, ...] = ()
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    queue_limit_seconds: int = InferenceLimits().queue_deadline_seconds
    existing: frozenset[str] | None = None
    pictures: Sequence[Picture] | None = None
    storage_error: BackendError | None = None
    has_place: bool = True
    notes: DrawingNotes = field(default_factory=DrawingNotes)
    asked_since: datetime | None = None
    runtime_is_foreign: bool = False
    recorded: AvatarRequestStatus | None = None
    foreign: tuple[str, ...] = ()

    @property
    def generation(self) -> int:
        """The generation of the request's spec."""
        return self.request.metadata.generation
