"""The one door to the API server: a port of a few verbs, and how they fail.

Objects are plain dictionaries here; the typed API is applied where they are read.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from avatar_api.group import Kind

Object = dict[str, Any]


class KubeError(Exception):
    """A call to the API server failed. `status` is the HTTP status, or 0 if there was no answer."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same call may be taken a moment later, as it is."""
        return self.status in (0, 429) or self.status >= 500


class ConflictError(KubeError):
    """The object changed since it was read: observe again."""


class NotFoundError(KubeError):
    """The object is gone."""


class ExpiredError(KubeError):
    """A list took so long that the API server has forgotten the state that it began with."""


@dataclass(frozen=True)
class Page:
    """Some objects of a list.

    Attributes:
        objects: each with its apiVersion and kind.
        version: the resourceVersion of the whole list: how far the API server had come.
    """

    objects: Sequence[Object]
    version: str


class KubeClient(Protocol):
    """What the operator asks of the API server."""

    def list_objects(self, kind: Kind, namespace: str = "") -> AsyncIterator[Page]:
        """Every object of a kind, in one namespace or in all, a page at a time.

        A list that takes too long is begun again, so an object may come twice.

        Args:
            kind: of the objects.
            namespace: where they are; empty for everywhere.
        """
        ...

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """Make `status` the object's whole status; refused if the object is not the observed one any more."""
        ...

    async def set_finalizers(self, kind: Kind, observed: Object, finalizers: Sequence[str]) -> Object:
        """Replace the list of finalizers; refused if the object is not the observed one any more."""
        ...

    async def delete(self, kind: Kind, observed: Object) -> None:
        """Delete exactly this object. One that is gone already is no error."""
        ...

    async def create_event(self, namespace: str, event: Object) -> bool:
        """Create an Event; False if one of that name exists."""
        ...

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace."""
        ...

    async def read_lease(self, namespace: str, name: str) -> Object:
        """The Lease of a name."""
        ...

    async def write_lease(self, lease: Object) -> Object:
        """Replace a Lease that was read, or create one that was not; refused if somebody was faster."""
        ...
