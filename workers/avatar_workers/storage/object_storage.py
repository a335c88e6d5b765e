"""What workers do with objects, and how each of it can fail.

The errors are WorkerFailures, so that one nobody catches already says the right thing to the operator; whoever knows
better (a photo that is missing is a verdict, not a failure) catches the type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avatar_api.documents.credentials import SessionCredentials
from avatar_api.documents.errors import WorkerErrorCode
from avatar_workers.errors import WorkerFailure


class StorageFailure(WorkerFailure):
    """Something about an object went wrong. `uri` names the object or prefix."""

    code_of_kind: WorkerErrorCode = "InternalError"

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(self.code_of_kind, f"{uri}: {problem}")
        self.uri = uri


class ObjectNotFound(StorageFailure):
    """There is no such object, version or bucket."""

    code_of_kind = "InvalidRequest"


class ObjectChanged(StorageFailure):
    """The object is not the one that was named: its ETag differs."""

    code_of_kind = "InvalidRequest"


class ObjectTooLarge(StorageFailure):
    """The object is larger than the reader allows."""

    code_of_kind = "InvalidRequest"


class ObjectExists(StorageFailure):
    """A conditional write lost: the key is taken, by somebody else."""

    code_of_kind = "AttemptFenced"


class StorageDenied(StorageFailure):
    """The worker's role must not do this."""

    code_of_kind = "StorageDenied"


class StorageUnavailable(StorageFailure):
    """The storage could not be reached, or failed, after the client's own retries."""

    code_of_kind = "StorageUnavailable"


@dataclass(frozen=True)
class ObjectSummary:
    """One object of a listing."""

    uri: str
    size_bytes: int


class ObjectStorage(Protocol):
    """The little that a worker does with a bucket. Every method may raise StorageDenied or StorageUnavailable."""

    def acting_with(self, credentials: Callable[[], SessionCredentials]) -> "ObjectStorage":
        """The same storage, asked in the name of sessions that the operator gives for one piece of work.

        Args:
            credentials: asked at once, and again whenever a session is about to end, in whichever thread needs it. What it
                raises is raised by whatever was to be done.
        """
        ...

    def read(
        self, uri: str, *, max_bytes: int, version_id: str | None = None, etag: str | None = None
    ) -> bytes:
        """The object's content.

        Args:
            uri: `s3://bucket/key`.
            max_bytes: refuse anything larger, before reading it.
            version_id: exactly this version, in a bucket that has versions.
            etag: exactly this content.

        Raises:
            ObjectNotFound, ObjectChanged, ObjectTooLarge
        """
        ...

    def download(self, uri: str, destination: Path, *, max_bytes: int) -> int:
        """Write the object's content to a new file, and return its size in bytes.

        Raises:
            ObjectNotFound, ObjectTooLarge
        """
        ...

    def list_objects(self, prefix_uri: str, *, max_objects: int) -> list[ObjectSummary]:
        """All objects whose key begins with the prefix, in the order of their keys.

        Raises:
            ObjectNotFound: there is no such bucket.
            ObjectTooLarge: more than `max_objects`.
        """
        ...

    def create(
        self,
        uri: str,
        content: bytes | Path,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object whose key is not taken. A lost answer is found again: the own write is no ObjectExists.

        Raises:
            ObjectExists: somebody else has written the key.
        """
        ...

    def delete(self, uri: str) -> None:
        """Remove an object that this process has created, its version too. It need not be there any more."""
        ...
