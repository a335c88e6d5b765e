"""The port for telling the world. An announcement is for people's applications; the operator never listens to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import Kind


@dataclass(frozen=True)
class Announcement:
    """One thing that happened to one object.

    Attributes:
        type: reverse-DNS name, such as `dev.avatars.model.ready.v1alpha1`.
        kind: of the object.
        id: the same thing told twice has the same id, so that receivers can drop the second.
        time: when it happened, not when it is told.
        data: JSON-ready details.
    """

    type: str
    kind: Kind
    namespace: str
    name: str
    uid: str
    id: str
    time: datetime
    data: Mapping[str, object] = field(default_factory=dict)


class Announcer(Protocol):
    """Tells what happened."""

    async def announce(self, runtime: AvatarRuntime, announcement: Announcement) -> None:
        """Tell it where the runtime says; nowhere, if it says nothing.

        Raises:
            BackendError: it could not be told. Telling it again is harmless.
        """
        ...
