"""The port to what is kept: photos, request documents, claims, artifacts and pictures. S3, whatever trains and draws.

Nothing here is remembered that could not be found again: locations derive from uid, revision and attempt
(`avatar_operator.locations`), and every question is answered from what lies there. Every verb is idempotent.

Exactly-once spending works like this. The reconciler writes the planned attempt to the status, then submits it (the
other port, `compute`), then records the answer. If the answer is lost (a crash, a time-out), nobody can tell whether
the call arrived. The reconciler then calls `fence_attempt`, which takes the attempt's claim with a conditional write.
The worker takes the same claim before it spends anything. So either the operator wins, the attempt is dead for ever and
the next attempt may start at once; or the worker wins, and the attempt is known to be running. See
docs/decisions/0001-exactly-one-training.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import ArtifactResult, PhotoLocation, TrainingRequest
from avatar_operator.backends.attempts import ArtifactFindings, AttemptReference, FenceResult
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.locations import OwnedDirectory


@dataclass(frozen=True)
class StoredOwner(OwnedDirectory):
    """A directory that holds something of a Kubernetes object, which may be gone.

    Attributes:
        age_seconds: since the last of it was written, by the clock of the place where it lies.
        objects: how many there are, uploads that were never completed included.
        retained: it was meant to outlive its object (`mark_retained`).
    """

    age_seconds: float
    objects: int
    retained: bool = False


class Storage(Protocol):
    """What the operator asks of the place where things are kept. Every verb may raise BackendError."""

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """The photos that the model names, pinned. Raises BackendError PhotosNotFound, PhotosDenied."""
        ...

    async def write_request(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> str:
        """Write what a worker shall do; the location is returned. If it fails, nothing was submitted."""
        ...

    async def read_request(self, runtime: AvatarRuntime, attempt: AttemptReference) -> TrainingRequest:
        """What an attempt was sent with. Raises BackendError RequestDocumentLost, if it cannot be found out any more."""
        ...

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """Make sure that an attempt never starts, or learn that it did."""
        ...

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """Take an attempt's claim away whoever holds it, and its request document: a worker stops before it uploads."""
        ...

    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """When a worker took the attempt; None if none has, or the operator took it away."""
        ...

    async def examine_artifact(
        self, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
    ) -> ArtifactFindings:
        """Whether a stored artifact is what the worker says it is.

        Sound is what lies where the attempt's artifact has to lie, has the stated size and SHA-256, and a manifest that
        names this attempt and the requested base.
        """
        ...

    async def check_artifact(self, runtime: AvatarRuntime, pinned: ResolvedModel) -> None:
        """Make sure that what lies where a request's artifact was is still that artifact.

        Raises:
            BackendError: ArtifactMissing, ArtifactReplaced; or it could not be found out.
        """
        ...

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """File names below a request's output prefix."""
        ...

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """Pictures as they are stored, with their checksums."""
        ...

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """Remove request documents and claims of a model, and its artifacts if told so."""
        ...

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """Remove the pictures of a request."""
        ...

    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """Whether there is anything that removing a request's pictures would remove, seen by a listing or not."""
        ...

    async def mark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """Leave a mark that a directory is meant to outlive its object, if there is anything in it.

        Raises:
            BackendError: NotOwned, if it is not named for its owner.
        """
        ...

    async def unmark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """Take that mark away.

        Raises:
            BackendError: NotOwned, if the directory is not named for its owner.
        """
        ...

    async def owners(self, runtime: AvatarRuntime) -> Sequence[StoredOwner]:
        """Whose data lies below the runtime's own prefixes: one entry for each directory, so an owner may have several.

        Pictures that went to a prefix of the user's own are not looked for.
        """
        ...

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """Remove a directory that belongs to one object, with everything below it.

        Raises:
            BackendError: NotOwned, if it is not named for its owner.
        """
        ...
