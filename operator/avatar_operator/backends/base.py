"""The port between the operator and whatever trains and draws.

A backend is a handful of small verbs. None of them remembers anything that could not be found again: names derive from
uid, revision and attempt, and every question ("how is that attempt?") is answered from what stands in the outside
world. Verbs that ask return plain facts; verbs that act are idempotent, except `submit_training`, which is guarded by
the protocol of `fence_attempt` below.

Exactly-once spending works like this. The reconciler writes the planned attempt to the status, then calls
`submit_training`, then records the answer. If the answer is lost (a crash, a time-out), nobody can tell whether the
call arrived. The reconciler then calls `fence_attempt`, which takes the attempt's claim with a conditional write. The
worker takes the same claim before it spends anything. So either the operator wins, the attempt is dead for ever and
the next attempt may start at once; or the worker wins, and the attempt is known to be running. See
docs/decisions/0001-exactly-one-training.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import PhotoLocation, TrainingRequest, TrainingResult
from avatar_operator.core.decision import Retry


class BackendError(Exception):
    """A call that failed.

    Attributes:
        reason: one CamelCase word for conditions and Events.
        message: what happened and how to mend it, for a person.
        retryable: whether the same call may succeed later without anybody changing anything.
        retry_after: seconds to wait at least, if the backend said so.
    """

    def __init__(
        self, reason: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after

    def as_retry(self) -> Retry:
        """The same as a reason to try again."""
        return Retry(self.reason, self.message, self.retry_after or 0.0)


class OutcomeUnknownError(BackendError):
    """The call may or may not have taken effect: the answer was lost."""

    def __init__(self, message: str) -> None:
        super().__init__("OutcomeUnknown", message, retryable=True)


@dataclass(frozen=True)
class AttemptReference:
    """One attempt to train: enough to find everything that belongs to it."""

    namespace: str
    uid: str
    revision: int
    attempt: int
    inference_id: str
    output_location: str | None = None
    failure_location: str | None = None
    submitted_time: datetime | None = None


@dataclass(frozen=True)
class Submission:
    """The backend accepted a training. Locations are where its outcome will be."""

    endpoint_name: str | None = None
    output_location: str | None = None
    failure_location: str | None = None
    log_url: str | None = None


@dataclass(frozen=True)
class AttemptPending:
    """No outcome yet. `check_after` is set where the backend sends no notification, in seconds."""

    check_after: float | None = None


@dataclass(frozen=True)
class AttemptSucceeded:
    """The worker reported success and its artifact was read back.

    `artifact_defect` is empty if the stored artifact is what the worker says it is: present, of the stated size and
    SHA-256, with a manifest that names this attempt and the requested base.
    """

    result: TrainingResult
    artifact_defect: str = ""


@dataclass(frozen=True)
class AttemptFailed:
    """The attempt ended without an artifact. `reason` is a worker's error code or the backend's own word."""

    reason: str
    message: str
    retryable: bool
    error: WorkerError | None = None


AttemptOutcome = AttemptPending | AttemptSucceeded | AttemptFailed


@dataclass(frozen=True)
class Fenced:
    """The attempt will never start: the operator holds its claim."""


@dataclass(frozen=True)
class ClaimedByWorker:
    """The attempt is running or has run: the worker holds its claim. Locations as far as they can be derived."""

    output_location: str | None = None
    failure_location: str | None = None


FenceResult = Fenced | ClaimedByWorker


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
    """One invocation: some pictures of one request with one personal model."""

    target_model: str
    pictures: tuple[PictureRequest, ...]
    num_inference_steps: int
    guidance_scale: float
    width: int
    height: int
    scheduler: str
    output_prefix: str


@dataclass(frozen=True)
class EndpointsFacts:
    """The endpoints of a runtime as they are now. `ready` only if every one serves with the wanted configuration."""

    ready: bool
    reason: str
    message: str
    endpoints: tuple[EndpointStatus, ...] = ()
    failed: bool = False


@dataclass(frozen=True)
class CleanupReport:
    """What could not be removed, in words; empty if everything is gone."""

    left_behind: tuple[str, ...] = field(default_factory=tuple)


class Backend(Protocol):
    """What the operator asks of a place that trains and draws. Every verb may raise BackendError."""

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Make the endpoints what the runtime says (policy Manage) or only look (Observe). Idempotent; never waits."""
        ...

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """Start deleting what we manage; `ready` means that nothing is left."""
        ...

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """The photos that the model names, pinned. Raises BackendError PhotosNotFound, PhotosDenied."""
        ...

    async def submit_training(self, runtime: AvatarRuntime, request: TrainingRequest) -> Submission:
        """Start a training. Never retried below this line.

        Raises:
            OutcomeUnknownError: the training may have been accepted; fence before another attempt.
            BackendError: the training was certainly not accepted.
        """
        ...

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """Make sure that an attempt never starts, or learn that it did."""
        ...

    async def cancel_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """Ask a running attempt to stop before it uploads; take its claim away whoever holds it."""
        ...

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """How an attempt stands, from what lies in storage. Notifications are only the reason to ask."""
        ...

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """Draw some pictures. Drawing the same twice gives the same pictures under the same names."""
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
        """Remove request documents and outputs of a model, and its artifacts if told so."""
        ...

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """Remove the pictures of a request."""
        ...
