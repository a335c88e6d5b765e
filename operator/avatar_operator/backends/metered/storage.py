"""The port Storage around any other, counted. What each verb means stands there."""

from collections.abc import Sequence
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import ArtifactResult, PhotoLocation, TrainingRequest
from avatar_operator.backends.attempts import ArtifactFindings, AttemptReference, FenceResult
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.metered.series import VerbCounter
from avatar_operator.backends.storage import Storage, StoredOwner
from avatar_operator.locations import OwnedDirectory


class MeteredStorage:
    """Another Storage, counted.

    Args:
        storage: does the work.
        counter: counts it.
    """

    def __init__(self, storage: Storage, counter: VerbCounter) -> None:
        self._storage = storage
        self._counter = counter

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Storage.list_photos."""
        return await self._counter.counted("list_photos", self._storage.list_photos(runtime, model))

    async def write_request(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> str:
        """See Storage.write_request."""
        return await self._counter.counted(
            "write_request", self._storage.write_request(runtime, attempt, request)
        )

    async def read_request(self, runtime: AvatarRuntime, attempt: AttemptReference) -> TrainingRequest:
        """See Storage.read_request."""
        return await self._counter.counted("read_request", self._storage.read_request(runtime, attempt))

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage.fence_attempt."""
        return await self._counter.counted("fence_attempt", self._storage.fence_attempt(runtime, attempt))

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage.revoke_claim."""
        await self._counter.counted("revoke_claim", self._storage.revoke_claim(runtime, attempt))

    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """See Storage.claimed_since."""
        return await self._counter.counted("claimed_since", self._storage.claimed_since(runtime, attempt))

    async def examine_artifact(
        self, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
    ) -> ArtifactFindings:
        """See Storage.examine_artifact."""
        return await self._counter.counted(
            "examine_artifact", self._storage.examine_artifact(runtime, attempt, artifact)
        )

    async def check_artifact(self, runtime: AvatarRuntime, pinned: ResolvedModel) -> None:
        """See Storage.check_artifact."""
        await self._counter.counted("check_artifact", self._storage.check_artifact(runtime, pinned))

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage.existing_pictures."""
        return await self._counter.counted(
            "existing_pictures", self._storage.existing_pictures(runtime, output_prefix)
        )

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """See Storage.describe_pictures."""
        return await self._counter.counted(
            "describe_pictures", self._storage.describe_pictures(runtime, output_prefix, pictures)
        )

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Storage.delete_model_data."""
        return await self._counter.counted(
            "delete_model_data", self._storage.delete_model_data(runtime, model, artifacts=artifacts)
        )

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Storage.delete_request_data."""
        return await self._counter.counted(
            "delete_request_data", self._storage.delete_request_data(runtime, request)
        )

    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """See Storage.holds_request_data."""
        return await self._counter.counted(
            "holds_request_data", self._storage.holds_request_data(runtime, request)
        )

    async def mark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.mark_retained."""
        await self._counter.counted("mark_retained", self._storage.mark_retained(runtime, directory))

    async def unmark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage.unmark_retained."""
        await self._counter.counted("unmark_retained", self._storage.unmark_retained(runtime, directory))

    async def owners(self, runtime: AvatarRuntime) -> Sequence[StoredOwner]:
        """See Storage.owners."""
        return await self._counter.counted("owners", self._storage.owners(runtime))

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage.delete_owned."""
        return await self._counter.counted("delete_owned", self._storage.delete_owned(runtime, owner))
