"""The port's implementation for SageMaker: one line a verb. Each verb's story stands in its own file."""

from collections.abc import Collection, Sequence

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.credentials import AttemptCredentials
from avatar_api.documents.training import ProgressDestination, TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import JSON, S3Objects
from avatar_operator.backends.attempts import AttemptOutcome, AttemptReference, Submission
from avatar_operator.backends.aws_failures import raises_backend_error
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, DrawResult, EndpointsFacts, HintSource, Stray
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.s3.cleanup import delete_below
from avatar_operator.backends.sagemaker import drawing, fitting_grants, outcome, strays, training
from avatar_operator.backends.sagemaker.attempt_sessions import TRAINING_RENEWAL_SECONDS, AttemptSessions
from avatar_operator.backends.sagemaker.endpoints import Endpoints
from avatar_operator.backends.sagemaker.hints import SqsHints
from avatar_operator.backends.sagemaker.outcome import OutcomePaths, attempt_paths
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.locations import model_directories, outcome_directory


class SageMakerCompute:
    """Compute on SageMaker. Remembers nothing that could not be found again.

    Args:
        clients: where AWS calls run; closed by whoever made it.
        ingest: counts what its queues tell.
    """

    def __init__(self, clients: AwsClients, ingest: IngestMetrics) -> None:
        self._clients = clients
        self._ingest = ingest
        self._endpoints = Endpoints(clients)
        self._sessions = AttemptSessions(clients)

    @raises_backend_error
    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.ensure_endpoints."""
        return await self._endpoints.ensure(runtime)

    @raises_backend_error
    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.delete_endpoints."""
        return await self._endpoints.delete(runtime)

    @raises_backend_error
    async def retire_endpoint(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """See Compute.retire_endpoint."""
        return await self._endpoints.retire(runtime, endpoint)

    @raises_backend_error
    async def strays(self, runtime: AvatarRuntime, living: Collection[str]) -> Sequence[Stray]:
        """See Compute.strays."""
        return await strays.strays(self._clients, runtime, living)

    @raises_backend_error
    async def delete_stray(self, runtime: AvatarRuntime, stray: Stray) -> None:
        """See Compute.delete_stray."""
        await strays.delete_stray(self._clients, runtime, stray)

    @raises_backend_error
    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute.submit_training."""
        return await training.submit_training(self._clients, runtime, request, document)

    @raises_backend_error
    async def give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> float | None:
        """See Compute.give_credentials."""
        credentials = await self._sessions.of_training(runtime, attempt, request)
        if credentials is None:
            return None
        document = AttemptCredentials(inference_id=attempt.inference_id, credentials=credentials)
        body = document.model_dump_json(by_alias=True).encode()
        await self._objects(runtime).write(
            S3Location.parse(attempt.locations.credentials), body, content_type=JSON
        )
        return TRAINING_RENEWAL_SECONDS

    @raises_backend_error
    async def withdraw_credentials(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Compute.withdraw_credentials."""
        await self._objects(runtime).delete(S3Location.parse(attempt.locations.credentials))

    async def stop_training(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """SageMaker cancels no asynchronous invocation: the worker stops because its claim is gone."""

    @raises_backend_error
    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Compute.attempt_outcome."""
        paths = await self._paths(runtime, attempt)
        return await outcome.attempt_outcome(self._objects(runtime), attempt, paths)

    @raises_backend_error
    async def delete_outcomes(self, runtime: AvatarRuntime, model: AvatarModel) -> CleanupReport:
        """See Compute.delete_outcomes."""
        training = model.status.training
        endpoint_name = training.sagemaker.endpoint_name if training and training.sagemaker else None
        chosen = await self._chosen_paths(runtime, endpoint_name)
        directories = dict.fromkeys(outcome_directory(path, model) for path in chosen)
        directories |= dict.fromkeys(model_directories(runtime, model).outcomes)
        return await delete_below(self._objects(runtime), list(map(S3Location.parse, directories)))

    @raises_backend_error
    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute.draw."""
        credentials = await self._sessions.of_drawing(runtime, call)
        return await drawing.draw(self._clients, runtime, call, credentials)

    def training_obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
        """See Compute.training_obstacle."""
        return fitting_grants.training_obstacle(runtime, model)

    def drawing_obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
        """See Compute.drawing_obstacle."""
        return fitting_grants.drawing_obstacle(runtime, request)

    def progress_destination(self, runtime: AvatarRuntime) -> ProgressDestination:
        """See Compute.progress_destination."""
        return ProgressDestination(queue_url=sagemaker_spec(runtime).notifications.queue_url)

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute.hint_sources."""
        spec = sagemaker_spec(runtime)
        return frozenset(
            {SqsHints(spec.notifications.queue_url, spec.region, self._ingest, self._clients.before_send)}
        )

    def _objects(self, runtime: AvatarRuntime) -> S3Objects:
        return S3Objects(self._clients, sagemaker_spec(runtime).region)

    async def _paths(self, runtime: AvatarRuntime, attempt: AttemptReference) -> OutcomePaths:
        is_known = attempt.output_location and attempt.failure_location
        chosen = () if is_known else await self._chosen_paths(runtime, attempt.endpoint_name)
        output, failure = chosen or (attempt.storage.training_output, attempt.storage.training_failure)
        return attempt_paths(S3Location.parse(output), S3Location.parse(failure), attempt)

    async def _chosen_paths(
        self, runtime: AvatarRuntime, endpoint_name: str | None
    ) -> tuple[str, str] | tuple[()]:
        """S3OutputPath and S3FailurePath that somebody else has chosen for the training endpoint, if it is theirs."""
        if runtime.spec.management_policy == "Observe":
            endpoint = await self._endpoints.describe_training(runtime, endpoint_name)
            if endpoint.output_path and endpoint.failure_path:
                return endpoint.output_path, endpoint.failure_path
        return ()
