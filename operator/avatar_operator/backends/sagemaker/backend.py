"""The port's implementation for SageMaker: one line a verb. Each verb's story stands in its own file."""

from collections.abc import Sequence

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import PhotoLocation, TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.aws_failures import raises_backend_error
from avatar_operator.backends.base import (
    AttemptOutcome,
    AttemptReference,
    CleanupReport,
    DrawCall,
    DrawResult,
    EndpointsFacts,
    FenceResult,
    Submission,
)
from avatar_operator.backends.sagemaker import cleanup, drawing, fencing, outcome, photos, training
from avatar_operator.backends.sagemaker import pictures as stored_pictures
from avatar_operator.backends.sagemaker.endpoints import Endpoints
from avatar_operator.backends.sagemaker.layout import (
    artifact_prefix,
    failure_path,
    model_data_prefixes,
    output_path,
    picture_prefix,
    sagemaker_spec,
)
from avatar_operator.backends.sagemaker.outcome import OutcomePaths, attempt_paths
from avatar_operator.core.clock import Clock, SystemClock


class SageMakerBackend:
    """Backend on AWS. Remembers nothing that could not be found again.

    Args:
        clients: where AWS calls run; closed by whoever made it.
        clock: dates the operator's claims.
    """

    def __init__(self, clients: AwsClients, clock: Clock | None = None) -> None:
        self._clients = clients
        self._clock = clock or SystemClock()
        self._endpoints = Endpoints(clients)

    @raises_backend_error
    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Backend.ensure_endpoints."""
        return await self._endpoints.ensure(runtime)

    @raises_backend_error
    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Backend.delete_endpoints."""
        return await self._endpoints.delete(runtime)

    @raises_backend_error
    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Backend.list_photos."""
        return await photos.list_photos(self._objects(runtime), runtime, model)

    @raises_backend_error
    async def submit_training(self, runtime: AvatarRuntime, request: TrainingRequest) -> Submission:
        """See Backend.submit_training."""
        return await training.submit_training(self._clients, runtime, request)

    @raises_backend_error
    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Backend.fence_attempt."""
        paths = await self._paths(runtime, attempt)
        return await fencing.fence_attempt(self._objects(runtime), self._clock, runtime, attempt, paths)

    @raises_backend_error
    async def cancel_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Backend.cancel_attempt."""
        await fencing.cancel_attempt(self._objects(runtime), self._clock, runtime, attempt)

    @raises_backend_error
    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Backend.attempt_outcome."""
        paths = await self._paths(runtime, attempt)
        return await outcome.attempt_outcome(self._objects(runtime), runtime, attempt, paths)

    @raises_backend_error
    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Backend.draw."""
        return await drawing.draw(self._clients, runtime, call)

    @raises_backend_error
    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Backend.existing_pictures."""
        return await stored_pictures.existing_pictures(self._objects(runtime), output_prefix)

    @raises_backend_error
    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """See Backend.describe_pictures."""
        return await stored_pictures.describe_pictures(self._objects(runtime), output_prefix, pictures)

    @raises_backend_error
    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Backend.delete_model_data."""
        prefixes = model_data_prefixes(runtime, model, *await self._endpoint_paths(runtime))
        if artifacts:
            prefixes.append(artifact_prefix(runtime, model))
        return await cleanup.delete_below(self._objects(runtime), prefixes)

    @raises_backend_error
    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Backend.delete_request_data."""
        return await cleanup.delete_below(self._objects(runtime), [picture_prefix(runtime, request)])

    def _objects(self, runtime: AvatarRuntime) -> S3Objects:
        return S3Objects(self._clients, sagemaker_spec(runtime).region)

    async def _paths(self, runtime: AvatarRuntime, attempt: AttemptReference) -> OutcomePaths:
        if attempt.output_location and attempt.failure_location:
            return attempt_paths(output_path(runtime), failure_path(runtime), attempt)
        return attempt_paths(*await self._endpoint_paths(runtime), attempt)

    async def _endpoint_paths(self, runtime: AvatarRuntime) -> tuple[S3Location, S3Location]:
        """S3OutputPath and S3FailurePath of the training endpoint, which under Observe somebody else has chosen."""
        if runtime.spec.management_policy == "Observe":
            endpoint = await self._endpoints.describe_training(runtime)
            if endpoint.output_path and endpoint.failure_path:
                return S3Location.parse(endpoint.output_path), S3Location.parse(endpoint.failure_path)
        return output_path(runtime), failure_path(runtime)
