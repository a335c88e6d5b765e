"""The port's implementation on S3: one line a verb. Each verb's story stands in its own file."""

from collections.abc import Sequence
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import ArtifactResult, PhotoLocation, TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.attempts import ArtifactFindings, AttemptReference, FenceResult
from avatar_operator.backends.aws_failures import raises_backend_error
from avatar_operator.backends.census import check_owned
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.s3 import artifacts, claims, cleanup, photos, request_documents
from avatar_operator.backends.s3 import owners as stored_owners
from avatar_operator.backends.s3 import pictures as stored_pictures
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.core.clock import Clock
from avatar_operator.locations import (
    RETAINED,
    OwnedDirectory,
    model_directories,
    picture_prefix,
    runtime_storage,
)


class S3Storage:
    """Storage in S3. Remembers nothing.

    Args:
        clients: where AWS calls run; closed by whoever made it.
        clock: dates the operator's claims.
    """

    def __init__(self, clients: AwsClients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    @raises_backend_error
    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Storage.list_photos."""
        return await photos.list_photos(self._objects(runtime), runtime, model)

    @raises_backend_error
    async def write_request(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> str:
        """See Storage.write_request."""
        return await request_documents.write_request(self._objects(runtime), attempt, request)

    @raises_backend_error
    async def read_request(self, runtime: AvatarRuntime, attempt: AttemptReference) -> TrainingRequest:
        """See Storage.read_request."""
        return await request_documents.read_request(self._objects(runtime), attempt)

    @raises_backend_error
    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage.fence_attempt."""
        return await claims.fence_attempt(self._objects(runtime), self._clock, attempt)

    @raises_backend_error
    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage.revoke_claim."""
        await claims.revoke_claim(self._objects(runtime), self._clock, attempt)

    @raises_backend_error
    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """See Storage.claimed_since."""
        return await claims.claimed_since(self._objects(runtime), self._clock, attempt)

    @raises_backend_error
    async def examine_artifact(
        self, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
    ) -> ArtifactFindings:
        """See Storage.examine_artifact."""
        return await artifacts.examine_artifact(self._objects(runtime), runtime, attempt, artifact)

    @raises_backend_error
    async def check_artifact(self, runtime: AvatarRuntime, pinned: ResolvedModel) -> None:
        """See Storage.check_artifact."""
        await artifacts.check_artifact(self._objects(runtime), pinned)

    @raises_backend_error
    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage.existing_pictures."""
        return await stored_pictures.existing_pictures(self._objects(runtime), output_prefix)

    @raises_backend_error
    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """See Storage.describe_pictures."""
        return await stored_pictures.describe_pictures(self._objects(runtime), output_prefix, pictures)

    @raises_backend_error
    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Storage.delete_model_data."""
        directories = model_directories(runtime, model)
        documents, stored = (
            list(map(S3Location.parse, each)) for each in (directories.documents, directories.artifacts)
        )
        if artifacts:
            return await cleanup.delete_below(self._objects(runtime), [*documents, *stored])
        return await cleanup.delete_below(self._objects(runtime), documents, retained=stored)

    @raises_backend_error
    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Storage.delete_request_data."""
        prefix = S3Location.parse(picture_prefix(runtime, request))
        return await cleanup.delete_below(self._objects(runtime), [prefix])

    @raises_backend_error
    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """See Storage.holds_request_data."""
        prefix = S3Location.parse(picture_prefix(runtime, request))
        return await cleanup.is_anything_below(self._objects(runtime), prefix)

    @raises_backend_error
    async def mark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.mark_retained."""
        check_owned(directory)
        await stored_owners.mark_retained(self._objects(runtime), directory, self._clock.now())

    @raises_backend_error
    async def unmark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.unmark_retained."""
        check_owned(directory)
        await self._objects(runtime).delete(S3Location.parse(directory.location).below(RETAINED))

    @raises_backend_error
    async def owners(self, runtime: AvatarRuntime) -> Sequence[StoredOwner]:
        """See Storage.owners."""
        return await stored_owners.owners(self._objects(runtime), runtime_storage(runtime))

    @raises_backend_error
    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage.delete_owned."""
        check_owned(owner)
        return await cleanup.delete_below(self._objects(runtime), [S3Location.parse(owner.location)])

    def _objects(self, runtime: AvatarRuntime) -> S3Objects:
        return S3Objects(self._clients, storage_region(runtime))


def storage_region(runtime: AvatarRuntime) -> str:
    """The region whose S3 is asked; buckets elsewhere are found by S3's own redirects.

    Raises:
        BackendError: the runtime's backend keeps nothing in S3.
    """
    sagemaker = runtime.spec.backend.sagemaker
    if sagemaker is None:
        raise BackendError(
            "BackendMismatch",
            f"AvatarRuntime {runtime.metadata.name} has no backend that keeps things in S3",
            retryable=False,
        )
    return sagemaker.region
