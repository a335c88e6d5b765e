"""The port Compute around any other, counted. What each verb means stands there; pure ones are not counted."""

from collections.abc import Collection, Sequence

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.training import ProgressDestination, TrainingRequest
from avatar_operator.backends.attempts import AttemptOutcome, AttemptReference, Submission
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import Compute, DrawCall, DrawResult, EndpointsFacts, HintSource, Stray
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.metered.series import VerbCounter


class MeteredCompute:
    """Another Compute, counted.

    Args:
        compute: does the work.
        counter: counts it.
    """

    def __init__(self, compute: Compute, counter: VerbCounter) -> None:
        self._compute = compute
        self._counter = counter

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.ensure_endpoints."""
        return await self._counter.counted("ensure_endpoints", self._compute.ensure_endpoints(runtime))

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute.delete_endpoints."""
        return await self._counter.counted("delete_endpoints", self._compute.delete_endpoints(runtime))

    async def retire_endpoint(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """See Compute.retire_endpoint."""
        return await self._counter.counted(
            "retire_endpoint", self._compute.retire_endpoint(runtime, endpoint)
        )

    async def strays(self, runtime: AvatarRuntime, living: Collection[str]) -> Sequence[Stray]:
        """See Compute.strays."""
        return await self._counter.counted("strays", self._compute.strays(runtime, living))

    async def delete_stray(self, runtime: AvatarRuntime, stray: Stray) -> None:
        """See Compute.delete_stray."""
        await self._counter.counted("delete_stray", self._compute.delete_stray(runtime, stray))

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute.submit_training."""
        return await self._counter.counted(
            "submit_training", self._compute.submit_training(runtime, request, document)
        )

    async def give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> float | None:
        """See Compute.give_credentials."""
        return await self._counter.counted(
            "give_credentials", self._compute.give_credentials(runtime, attempt, request)
        )

    async def withdraw_credentials(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Compute.withdraw_credentials."""
        await self._counter.counted(
            "withdraw_credentials", self._compute.withdraw_credentials(runtime, attempt)
        )

    async def stop_training(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Compute.stop_training."""
        await self._counter.counted("stop_training", self._compute.stop_training(runtime, attempt))

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Compute.attempt_outcome."""
        return await self._counter.counted("attempt_outcome", self._compute.attempt_outcome(runtime, attempt))

    async def delete_outcomes(self, runtime: AvatarRuntime, model: AvatarModel) -> CleanupReport:
        """See Compute.delete_outcomes."""
        return await self._counter.counted("delete_outcomes", self._compute.delete_outcomes(runtime, model))

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute.draw."""
        return await self._counter.counted("draw", self._compute.draw(runtime, call))

    def training_obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
        """See Compute.training_obstacle. It asks nobody, so it is not counted."""
        return self._compute.training_obstacle(runtime, model)

    def drawing_obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
        """See Compute.drawing_obstacle. It asks nobody, so it is not counted."""
        return self._compute.drawing_obstacle(runtime, request)

    def progress_destination(self, runtime: AvatarRuntime) -> ProgressDestination | None:
        """See Compute.progress_destination."""
        return self._compute.progress_destination(runtime)

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute.hint_sources."""
        return self._compute.hint_sources(runtime)
