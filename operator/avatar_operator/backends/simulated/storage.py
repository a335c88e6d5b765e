"""The port Storage for `spec.backend.simulated`. The package's docstring says what it does not do."""

from collections.abc import Sequence
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import ArtifactResult, PhotoLocation, TrainingRequest
from avatar_operator.backends.attempts import (
    ArtifactFindings,
    AttemptReference,
    ClaimedByWorker,
    Fenced,
    FenceResult,
)
from avatar_operator.backends.census import Census, check_owned
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.simulated import claims
from avatar_operator.backends.simulated.derived import digest, photo_uris, picture_sha256, weights_sha256
from avatar_operator.backends.simulated.objects import PretendedObjects
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import (
    RETAINED,
    OwnedDirectory,
    model_directories,
    picture_prefix,
    runtime_storage,
)


class SimulatedStorage:
    """Storage without any cloud.

    Args:
        objects: what it pretends to store.
    """

    def __init__(self, objects: PretendedObjects) -> None:
        self._objects = objects

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """The objects that the model names; for a prefix, as many photos as usual."""
        photos = model.spec.photos
        if photos.objects is not None:
            return [
                PhotoLocation(uri=photo.uri, version_id=photo.version_id, etag=_etag(photo.uri))
                for photo in photos.objects
            ]
        return [
            PhotoLocation(uri=uri, etag=_etag(uri)) for uri in photo_uris(runtime, photos.s3_prefix or "")
        ]

    async def write_request(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> str:
        """Pretend that the document is there."""
        self._objects.write(attempt.locations.request)
        return attempt.locations.request

    async def read_request(self, runtime: AvatarRuntime, attempt: AttemptReference) -> TrainingRequest:
        """Only that it was written is remembered; nobody here is given credentials for what it says."""
        raise BackendError("RequestDocumentLost", "A simulated attempt keeps no document.", retryable=True)

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage.fence_attempt."""
        claims.take(self._objects, attempt, "Operator")
        since = await self.claimed_since(runtime, attempt)
        if since is not None:
            return ClaimedByWorker(since=since)
        self._objects.delete(attempt.locations.request)
        return Fenced()

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage.revoke_claim."""
        claims.seize(self._objects, attempt, "Operator")
        self._objects.delete(attempt.locations.request)

    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """See Storage.claimed_since."""
        return claims.held_since(self._objects, attempt, "Worker")

    async def examine_artifact(
        self, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
    ) -> ArtifactFindings:
        """There is nothing that could be wrong with it."""
        return ArtifactFindings(weights_sha256=weights_sha256(attempt.locations.target_model))

    async def check_artifact(self, runtime: AvatarRuntime, pinned: ResolvedModel) -> None:
        """Nobody could have replaced it."""

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """The names that were drawn since this process started."""
        return self._objects.names(output_prefix)

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """Pictures that were drawn, with checksums of their names.

        Raises:
            BackendError: PictureMissing, if one was not.
        """
        drawn = self._objects.names(output_prefix)
        missing = [picture.file_name() for picture in pictures if picture.file_name() not in drawn]
        if missing:
            raise BackendError("PictureMissing", f"{output_prefix}{missing[0]} is not there", retryable=True)
        return [
            Picture(
                uri=f"{output_prefix}{picture.file_name()}",
                prompt_index=picture.prompt_index,
                image_index=picture.image_index,
                seed=picture.seed,
                sha256=picture_sha256(output_prefix, picture),
            )
            for picture in pictures
        ]

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """Forget the model's documents and claims; artifacts were never there."""
        for directory in model_directories(runtime, model).documents:
            self._objects.delete_below(directory)
        return CleanupReport()

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """Forget the request's pictures."""
        self._objects.delete_below(picture_prefix(runtime, request))
        return CleanupReport()

    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """Whether anything was drawn since this process started."""
        return bool(self._objects.names(picture_prefix(runtime, request)))

    async def mark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.mark_retained."""
        check_owned(directory)
        if self._objects.names(directory.location):
            self._objects.write(f"{directory.location}{RETAINED}")

    async def unmark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.unmark_retained."""
        check_owned(directory)
        self._objects.delete(f"{directory.location}{RETAINED}")

    async def owners(self, runtime: AvatarRuntime) -> Sequence[StoredOwner]:
        """See Storage.owners."""
        census = Census(runtime_storage(runtime))
        for uri, age_seconds in self._objects.everything():
            census.count(uri, age_seconds)
        return census.result()

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage.delete_owned."""
        check_owned(owner)
        self._objects.delete_below(owner.location)
        return CleanupReport()


def _etag(uri: str) -> str:
    return f'"{digest("photo", uri)[:32]}"'
