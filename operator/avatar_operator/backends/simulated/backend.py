"""The port's implementation for `spec.backend.simulated`. The package's docstring says what it does not do."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import PhotoLocation, TrainingRequest
from avatar_api.runtime_backend import SimulatedBackend as SimulatedSpec
from avatar_operator.backends.base import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
    BackendError,
    CleanupReport,
    DrawCall,
    Drawn,
    DrawResult,
    EndpointsFacts,
    Fenced,
    FenceResult,
    Submission,
)
from avatar_operator.backends.simulated.derived import (
    digest,
    fails,
    photo_uris,
    picture_sha256,
    training_result,
)
from avatar_operator.core.clock import Clock

MAX_REMEMBERED_PREFIXES = 10_000
IN_SERVICE = "InService"


class SimulatedBackend:
    """Backend without any cloud.

    Args:
        clock: decides when a training is over.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pictures: OrderedDict[str, set[str]] = OrderedDict()

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Always ready."""
        name = f"simulated-{runtime.metadata.name}"[:63]
        return EndpointsFacts(
            ready=True,
            reason=IN_SERVICE,
            message="simulated endpoints always serve",
            endpoints=(
                EndpointStatus(role="Training", name=name, state=IN_SERVICE, instances=1),
                EndpointStatus(role="Inference", name=name, state=IN_SERVICE, instances=1),
            ),
        )

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """There is nothing to delete."""
        return EndpointsFacts(ready=True, reason="Deleted", message="nothing is left of the endpoints")

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

    async def submit_training(self, runtime: AvatarRuntime, request: TrainingRequest) -> Submission:
        """Accepted. From now on the time that the caller records decides."""
        _spec(runtime)
        return Submission()

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """Nothing runs, so nothing can have started."""
        return Fenced()

    async def cancel_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """Nothing runs, so nothing need stop."""

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """Pending until the training's seconds are over, then what the attempt's name decides."""
        spec = _spec(runtime)
        duration = timedelta(seconds=spec.training_seconds)
        elapsed = self._clock.now() - attempt.submitted_time if attempt.submitted_time else timedelta()
        if attempt.submitted_time is None or elapsed < duration:
            return AttemptPending(check_after=(duration - elapsed).total_seconds())
        if fails(attempt.inference_id, spec.failure_percent):
            return AttemptFailed(
                "InternalError", "the simulated worker failed, as it was told to", retryable=True
            )
        return AttemptSucceeded(training_result(runtime, attempt, float(spec.training_seconds)))

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """Remember the pictures' names."""
        names = self._pictures.setdefault(call.output_prefix, set())
        names.update(picture.file_name() for picture in call.pictures)
        self._pictures.move_to_end(call.output_prefix)
        while len(self._pictures) > MAX_REMEMBERED_PREFIXES:
            self._pictures.popitem(last=False)
        return Drawn(generate_seconds=0.0)

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """The names that were drawn since this process started."""
        return frozenset(self._pictures.get(output_prefix, ()))

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """Pictures that were drawn, with checksums of their names.

        Raises:
            BackendError: PictureMissing, if one was not.
        """
        drawn = self._pictures.get(output_prefix, set())
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
        """There is nothing to remove."""
        return CleanupReport()

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """Forget the request's pictures."""
        directory = f"/{request.metadata.uid}/"
        for prefix in [prefix for prefix in self._pictures if prefix.endswith(directory)]:
            del self._pictures[prefix]
        return CleanupReport()


def _spec(runtime: AvatarRuntime) -> SimulatedSpec:
    spec = runtime.spec.backend.simulated
    if spec is None:
        raise BackendError(
            "BackendMismatch",
            f"AvatarRuntime {runtime.metadata.name} has no spec.backend.simulated",
            retryable=False,
        )
    return spec


def _etag(uri: str) -> str:
    return f'"{digest("photo", uri)[:32]}"'
