"""The port Compute for `spec.backend.simulated`. The package's docstring says what it does not do."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.training import TrainingRequest
from avatar_api.runtime_backend import SimulatedBackend as SimulatedSpec
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
    Submission,
)
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult, EndpointsFacts, HintSource, Stray
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.simulated import claims
from avatar_operator.backends.simulated.derived import fails, training_result, weights_sha256
from avatar_operator.backends.simulated.objects import PretendedObjects
from avatar_operator.core.clock import Clock
from avatar_operator.locations import runtime_storage

IN_SERVICE = "InService"


class SimulatedCompute:
    """Compute without any cloud.

    Args:
        objects: what the simulation pretends to store.
        clock: decides when a training is over.
    """

    def __init__(self, objects: PretendedObjects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock
        self._deleted: set[str] = set()

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Ready at once."""
        self._deleted.discard(runtime.metadata.uid)
        name = _endpoint_name(runtime)
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
        """Gone at once, until they are ensured again."""
        self._deleted.add(runtime.metadata.uid)
        return EndpointsFacts(ready=True, reason="Deleted", message="nothing is left of the endpoints")

    async def retire_endpoint(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """Gone at once."""
        return EndpointsFacts(ready=True, reason="Deleted", message="nothing is left of the endpoint")

    async def strays(self, runtime: AvatarRuntime, living: Collection[str]) -> Sequence[Stray]:
        """Nothing that is simulated goes astray."""
        return ()

    async def delete_stray(self, runtime: AvatarRuntime, stray: Stray) -> None:
        """Nothing that is simulated goes astray."""

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """Accepted, and begun at once. From now on the time that the caller records decides."""
        self._check_endpoints(runtime)
        attempt = AttemptReference(
            namespace=request.model.namespace,
            uid=request.model.uid,
            revision=request.revision,
            attempt=request.attempt,
            inference_id=request.inference_id,
            storage=runtime_storage(runtime),
        )
        claims.take(self._objects, attempt, "Worker")
        return Submission(endpoint_name=_endpoint_name(runtime))

    async def give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> None:
        """Nobody needs any."""

    async def withdraw_credentials(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """There are none."""

    async def stop_training(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """What loses its claim ends by itself."""

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """Pending until the training's seconds are over or its claim is gone, then what its name decides."""
        spec = _spec(runtime)
        duration = timedelta(seconds=spec.training_seconds)
        if attempt.submitted_time is None:
            return AttemptPending(check_after=duration.total_seconds())
        ends = attempt.submitted_time + duration
        revoked = claims.held_since(self._objects, attempt, "Operator")
        if revoked is not None and revoked < ends:
            return AttemptFailed("AttemptFenced", "the operator took the attempt's claim", retryable=False)
        if self._clock.now() < ends:
            return AttemptPending(
                check_after=(ends - self._clock.now()).total_seconds(),
                stage="Training",
                started=attempt.submitted_time,
            )
        if fails(attempt.inference_id, spec.failure_percent):
            return AttemptFailed(
                "InternalError", "the simulated worker failed, as it was told to", retryable=True
            )
        return AttemptSucceeded(training_result(runtime, attempt, float(spec.training_seconds)))

    async def delete_outcomes(self, runtime: AvatarRuntime, model: AvatarModel) -> CleanupReport:
        """Outcomes are told by the clock, so there are none to remove."""
        return CleanupReport()

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """Remember the pictures' names."""
        self._check_endpoints(runtime)
        if call.weights_sha256 not in (None, weights_sha256(call.target_model)):
            raise BackendError(
                "ArtifactChanged",
                f"{call.target_model} has other weights than were verified",
                retryable=False,
            )
        for picture in call.pictures:
            self._objects.write(f"{call.output_prefix}{picture.file_name()}")
        return Drawn(generate_seconds=0.0)

    def training_obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> None:
        """There is none."""

    def drawing_obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> None:
        """There is none."""

    def progress_destination(self, runtime: AvatarRuntime) -> None:
        """Nobody tells of progress."""

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """Nobody tells of anything."""
        return frozenset()

    def _check_endpoints(self, runtime: AvatarRuntime) -> None:
        _spec(runtime)
        if runtime.metadata.uid in self._deleted:
            raise BackendError(
                "EndpointNotFound",
                f"the simulated endpoints of AvatarRuntime {runtime.metadata.name} were deleted",
                retryable=True,
            )


def _endpoint_name(runtime: AvatarRuntime) -> str:
    return f"simulated-{runtime.metadata.name}"[:63]


def _spec(runtime: AvatarRuntime) -> SimulatedSpec:
    spec = runtime.spec.backend.simulated
    if spec is None:
        raise BackendError(
            "BackendMismatch",
            f"AvatarRuntime {runtime.metadata.name} has no spec.backend.simulated",
            retryable=False,
        )
    return spec
