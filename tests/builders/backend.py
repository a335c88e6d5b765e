"""A backend that answers as it is told, both ports in one object. A fake, for unit tests only.

Every verb has a plain answer by default; `script` queues other ones, which are given (or raised) first, one a call.
`calls` is what was asked, in order.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime, EndpointStatus
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import (
    ArtifactResult,
    PhotoLocation,
    ProgressDestination,
    TrainingRequest,
    TrainingResult,
)
from avatar_operator.backends.attempts import (
    ArtifactFindings,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
    Fenced,
    FenceResult,
    Submission,
)
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult, EndpointsFacts, HintSource, Stray
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backend, Backends
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import OwnedDirectory, attempt_directory, outcome_extension
from avatar_operator.model_lifecycle.phases.credentials import has_attempt_role
from avatar_operator.names import parse_inference_id
from builders.clock import FakeClock
from builders.objects import photos

AnswerT = TypeVar("AnswerT")
RENEW_SECONDS = 1200.0
"""After so many seconds an attempt's credentials are due."""
WEIGHTS_SHA256 = "d" * 64
"""Digest of the weights of every artifact that is sound."""


@dataclass(frozen=True)
class Call:
    """One call of a verb, with the argument that matters."""

    verb: str
    subject: Any


def out_of_reach(reason: str = "ServiceUnavailable") -> BackendError:
    """An error that may be gone the next time."""
    return BackendError(reason, "The service does not answer.", retryable=True)


def denied(reason: str = "AccessDenied") -> BackendError:
    """An error that stays until somebody mends it."""
    return BackendError(reason, "The role may not do this.", retryable=False)


class ScriptedBackend:
    """The ports Storage and Compute, answered by the test.

    Args:
        clock: moves on by as much as drawing takes, it is said.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self._drawing_clock = clock
        self.calls: list[Call] = []
        self.pictures: set[str] = set()
        """Names of the pictures that lie in storage; `draw` adds to them."""
        self.out: set[str] = set()
        """Verbs that fail, for as long as they stand here."""
        self.granted: list[list[PhotoLocation]] = []
        """The photos that each credentials open, in order."""
        self.obstacle: BackendError | None = None
        """Why nothing can ever be trained or drawn."""
        self._scripts: defaultdict[str, deque[Any]] = defaultdict(deque)

    def script(self, verb: str, *answers: Any) -> None:
        """Answers to the next calls of a verb; exceptions among them are raised."""
        self._scripts[verb].extend(answers)

    def forget_scripts(self) -> None:
        """Answer plainly from now on."""
        self._scripts.clear()

    def asked(self, verb: str) -> list[Any]:
        """The arguments of every call of a verb."""
        return [call.subject for call in self.calls if call.verb == verb]

    async def mark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage."""
        self._answer("mark_retained", directory.location, None)

    async def unmark_retained(self, runtime: AvatarRuntime, directory: OwnedDirectory) -> None:
        """See Storage."""
        self._answer("unmark_retained", directory.location, None)

    async def owners(self, runtime: AvatarRuntime) -> Sequence[StoredOwner]:
        """See Storage."""
        return self._answer("owners", runtime.metadata.name, ())

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage."""
        return self._answer("delete_owned", owner, CleanupReport())

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute."""
        facts = EndpointsFacts(ready=True, reason="InService", message="")
        return self._answer("ensure_endpoints", runtime.metadata.name, facts)

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute."""
        facts = EndpointsFacts(ready=True, reason="Deleted", message="")
        return self._answer("delete_endpoints", runtime.metadata.name, facts)

    async def retire_endpoint(self, runtime: AvatarRuntime, endpoint: EndpointStatus) -> EndpointsFacts:
        """See Compute."""
        facts = EndpointsFacts(ready=True, reason="Deleted", message="")
        return self._answer("retire_endpoint", endpoint.name, facts)

    async def strays(self, runtime: AvatarRuntime, living: Collection[str]) -> Sequence[Stray]:
        """See Compute."""
        return self._answer("strays", frozenset(living), ())

    async def delete_stray(self, runtime: AvatarRuntime, stray: Stray) -> None:
        """See Compute."""
        self._answer("delete_stray", stray, None)

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Storage."""
        return self._answer("list_photos", model.metadata.name, photos())

    async def write_request(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> str:
        """See Storage."""
        return self._answer("write_request", request, attempt.locations.request)

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute."""
        extension = outcome_extension(request.model.namespace, request.model.uid, request.inference_id)
        accepted = Submission(
            endpoint_name="avatar-training",
            output_location=f"s3://models/out/{extension}/1.out",
            failure_location=f"s3://models/failed/{extension}/1.out",
        )
        return self._answer("submit_training", request, accepted)

    async def read_request(self, runtime: AvatarRuntime, attempt: AttemptReference) -> TrainingRequest:
        """See Storage: what was written last for the attempt."""
        request = self._answer("read_request", attempt.inference_id, self._written(attempt.inference_id))
        if request is None:
            raise BackendError("RequestDocumentLost", "It was never written.", retryable=True)
        return request

    def _written(self, inference_id: str) -> TrainingRequest | None:
        written = [each for each in self.asked("write_request") if each.inference_id == inference_id]
        return written[-1] if written else None

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage."""
        return self._answer("fence_attempt", attempt.inference_id, Fenced())

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage."""
        self._answer("revoke_claim", attempt.inference_id, None)

    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """See Storage."""
        return self._answer("claimed_since", attempt.inference_id, None)

    async def examine_artifact(
        self, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
    ) -> ArtifactFindings:
        """See Storage."""
        return self._answer("examine_artifact", artifact.uri, ArtifactFindings(weights_sha256=WEIGHTS_SHA256))

    async def give_credentials(
        self, runtime: AvatarRuntime, attempt: AttemptReference, request: TrainingRequest
    ) -> float | None:
        """See Compute."""
        if not has_attempt_role(runtime):
            return None
        self.granted.append(request.photos)
        return self._answer("give_credentials", attempt.inference_id, RENEW_SECONDS)

    async def withdraw_credentials(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Compute."""
        self._answer("withdraw_credentials", attempt.inference_id, None)

    async def stop_training(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Compute."""
        self._answer("stop_training", attempt.inference_id, None)

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Compute."""
        return self._answer("attempt_outcome", attempt.inference_id, AttemptPending())

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute."""
        result = self._answer("draw", call, Drawn(generate_seconds=1.0))
        if isinstance(result, Drawn):
            if self._drawing_clock is not None:
                self._drawing_clock.advance(result.generate_seconds)
            self.pictures |= {picture.file_name() for picture in call.pictures}
        return result

    async def check_artifact(self, runtime: AvatarRuntime, pinned: ResolvedModel) -> None:
        """See Storage."""
        self._answer("check_artifact", pinned.uri, None)

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage."""
        return self._answer("existing_pictures", output_prefix, frozenset(self.pictures))

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """See Storage."""
        described = [stored(output_prefix, picture) for picture in pictures]
        return self._answer("describe_pictures", output_prefix, described)

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Storage."""
        return self._answer("delete_model_data", artifacts, CleanupReport())

    async def delete_outcomes(self, runtime: AvatarRuntime, model: AvatarModel) -> CleanupReport:
        """See Compute."""
        return self._answer("delete_outcomes", model.metadata.name, CleanupReport())

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Storage."""
        return self._answer("delete_request_data", request.metadata.name, CleanupReport())

    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """See Storage."""
        return self._answer("holds_request_data", request.metadata.name, bool(self.pictures))

    def training_obstacle(self, runtime: AvatarRuntime, model: AvatarModel) -> BackendError | None:
        """See Compute."""
        return self.obstacle

    def drawing_obstacle(self, runtime: AvatarRuntime, request: AvatarRequest) -> BackendError | None:
        """See Compute."""
        return self.obstacle

    def progress_destination(self, runtime: AvatarRuntime) -> ProgressDestination | None:
        """See Compute."""
        return self._answer("progress_destination", runtime.metadata.name, None)

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute."""
        return self._answer("hint_sources", runtime.metadata.name, frozenset())

    def _answer(self, verb: str, subject: Any, default: AnswerT) -> AnswerT:
        self.calls.append(Call(verb, subject))
        if verb in self.out:
            raise out_of_reach()
        answer = self._scripts[verb].popleft() if self._scripts[verb] else default
        if isinstance(answer, Exception):
            raise answer
        return cast(AnswerT, answer)


def backends_of(scripted: ScriptedBackend) -> Backends:
    """A process that has one backend for every runtime."""
    backend = Backend(storage=scripted, compute=scripted)
    return Backends({"sagemaker": backend, "simulated": backend})


def a_success(inference_id: str, *, defect: str = "", rejected: int = 0) -> AttemptSucceeded:
    """The outcome of an attempt that made an artifact for a model of team-a."""
    name = parse_inference_id(inference_id)
    assert name is not None
    directory = attempt_directory("team-a", name.uid, name.revision, name.attempt)
    target_model = f"{directory}.tar.gz"
    verdicts = [
        PhotoVerdict(uri=photo.uri, rejection="Blurred" if index < rejected else None)
        for index, photo in enumerate(photos())
    ]
    artifact = ArtifactResult(
        uri=f"s3://models/artifacts/{target_model}",
        manifest_uri=f"s3://models/artifacts/{directory}.manifest.json",
        target_model=target_model,
        sha256="a" * 64,
        size_bytes=3_000_000,
    )
    result = TrainingResult(
        inference_id=inference_id, artifact=artifact, photos=verdicts, seconds=61.6, final_loss=0.1
    )
    findings = ArtifactFindings(defect) if defect else ArtifactFindings(weights_sha256=WEIGHTS_SHA256)
    return AttemptSucceeded(result, findings)


def stored(output_prefix: str, picture: PictureRequest) -> Picture:
    """A picture as it lies in storage."""
    return Picture(
        uri=f"{output_prefix}{picture.file_name()}",
        prompt_index=picture.prompt_index,
        image_index=picture.image_index,
        seed=picture.seed,
        sha256="c" * 64,
    )
