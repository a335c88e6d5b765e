"""The port to what trains and draws: trainings, drawing, and the endpoints that do both.

Verbs that ask return plain facts; verbs that act are idempotent, except `submit_training`, which is guarded by the
protocol of `Storage.fence_attempt`. Notifications are only the reason to ask: a backend that is told of things by others
offers the sources (`hint_sources`), and whoever keeps them running looks at what they hint at.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import ProgressDestination, TrainingRequest
from avatar_operator.backends.attempts import AttemptOutcome, AttemptReference, Submission
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.decision import Retry
from avatar_operator.ingest.messages import OnHint


@dataclass(frozen=True)
class Drawn:
    """An invocation drew its pictures. Seconds as the worker measured them."""

    generate_seconds: float


@dataclass(frozen=True)
class ModelLoading:
    """The endpoint is still loading the model (ModelNotReadyException): ask again."""


DrawResult = Drawn | ModelLoading


@dataclass(frozen=True)
class DrawCall:
    """One invocation: some pictures of one request with one personal model.

    Attributes:
        request_uid: whose pictures they are.
        target_model: the model's key below the endpoint's prefix.
        artifact: S3 URI of the same, as the request recorded it.
        weights_sha256: digest of the weights that it was verified with: whoever draws has to refuse others. None if the
            artifact was verified by a version that did not record it.
    """

    request_uid: str
    target_model: str
    artifact: str
    weights_sha256: str | None
    pictures: tuple[PictureRequest, ...]
    num_inference_steps: int
    guidance_scale: float
    width: int
    height: int
    scheduler: str
    output_prefix: str


@dataclass(frozen=True)
class EndpointsFacts:
    """The endpoints of a runtime as they are now.

    Attributes:
        ready: every one serves with the wanted configuration.
        reason: one CamelCase word.
        message: the same for a person.
        endpoints: each of them.
        failed: a person has to mend something.
        trouble: something failed that keeps none of them from serving.
    """

    ready: bool
    reason: str
    message: str
    endpoints: tuple[EndpointStatus, ...] = ()
    failed: bool = False
    trouble: Retry | None = None


StrayKind = Literal["Endpoint", "EndpointConfig", "Model"]


@dataclass(frozen=True)
class Stray:
    """Something that carries a runtime's mark and that no runtime names.

    Attributes:
        kind: what it is.
        name: its name.
        runtime_uid: whose mark it carries.
        age_seconds: since it was made, by the clock of the place where it is.
    """

    kind: StrayKind
    name: str
    runtime_uid: str
    age_seconds: float

    @property
    def location(self) -> str:
        """Tells it from everything else."""
        return f"{self.kind} {self.name}"


class HintSource(Hashable, Protocol):
    """Somebody who tells of things. Equal sources tell the same; its `str` names it in logs."""

    async def run(self, on_hint: OnHint) -> None:
        """Listen until cancelled. No failure ends it."""
        ...


class Compute(Protocol):
    """What the operator asks of a place that trains and draws. Every verb may raise BackendError."""

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Make the endpoints what the runtime says (policy Manage) or only look (Observe). Idempotent; never waits."""
        ...

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Start deleting what we manage; `ready` means that nothing is left."""
        ...

    async def retire_endpoint(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """Start deleting an endpoint of the runtime's status that its spec names no more; `ready`: nothing is left of it."""
        ...

    async def strays(self, runtime: AvatarRuntime, living: Collection[str]) -> Sequence[Stray]:
        """What carries the mark of this runtime, or of one that is unknown here, and is named by none.

        Args:
            runtime: its backend is asked.
            living: uids of all the runtimes there are.
        """
        ...

    async def delete_stray(self, runtime: AvatarRuntime, stray: Stray) -> None:
        """Start deleting something that carries this runtime's mark.

        Raises:
            BackendError: NotOwned, if it carries another one's; InUse, if the runtime names it by now.
        """
        ...

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """Start a training. Never retried below this line.

        Args:
            runtime: trains it.
            request: what to do.
            document: where Storage.write_request put it.

        Raises:
            OutcomeUnknownError: the training may have been accepted; fence before another attempt.
            BackendError: the training was certainly not accepted.
        """
        ...

    async def give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> float | None:
        """Put credentials for this attempt alone where its worker finds them, in the place of older ones.

        Args:
            runtime: trains it.
            attempt: whose they are.
            request: what the attempt is sent with, or was: they open its photos, whatever the model names by now.

        Returns:
            Seconds after which newer ones are due; None if workers act with a role of their own.
        """
        ...

    async def withdraw_credentials(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """Remove them: the attempt is over."""
        ...

    async def stop_training(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """Stop what runs for an attempt whose claim was revoked, where there is something to stop."""
        ...

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """How an attempt stands. Whether a stored artifact is sound is for Storage to say."""
        ...

    async def delete_outcomes(self, runtime: AvatarRuntime, model: AvatarModel) -> CleanupReport:
        """Remove what the backend itself stored of a model's trainings."""
        ...

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """Draw some pictures. Drawing the same twice gives the same pictures under the same names."""
        ...

    def training_obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
        """Why this backend can never train a model as it is; None if nothing is known against it. Pure."""
        ...

    def drawing_obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
        """The same of drawing a request's pictures. Pure."""
        ...

    def progress_destination(self, runtime: AvatarRuntime) -> ProgressDestination | None:
        """Where a worker shall tell of its progress; None if nobody listens. Pure."""
        ...

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """Who tells of this runtime's trainings. Pure."""
        ...
