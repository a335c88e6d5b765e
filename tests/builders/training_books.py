"""A backend that trains nothing and forgets nothing: judge and bookkeeper of whatever would have been billed or kept.

It refuses nothing by itself. Workers take queued trainings and end when a test says so; a worker whose claim was taken
away uploads nothing, as real ones do not. While a verb is `out`, every call of it fails for a passing reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import PhotoLocation, TrainingRequest
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    ClaimedByWorker,
    Fenced,
    FenceResult,
    Submission,
)
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.failures import OutcomeUnknownError
from avatar_operator.core.clock import Clock
from avatar_operator.locations import OwnedDirectory
from builders.backend import ScriptedBackend, a_success, out_of_reach
from builders.turns import turn

Answer = Literal["given", "lost", "never called", "refused"]
End = Literal["ok", "broken", "users fault"]
AnswerT = TypeVar("AnswerT")


@dataclass
class Attempt:
    """One training as the backend sees it."""

    uid: str = ""
    base: str = ""
    may_be_accepted: bool = False
    accepted: bool = False
    claim: Literal["Worker", "Operator"] | None = None
    claimed: datetime | None = None
    end: End | None = None
    uploaded: bool = False

    @property
    def costs_money(self) -> bool:
        """Queued or running, and nobody has taken its claim away."""
        return self.accepted and self.claim != "Operator" and self.end is None


class TrainingBooks(ScriptedBackend):
    """The ports Storage and Compute, and what became of every attempt.

    Args:
        clock: dates the workers' claims.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.attempts: dict[str, Attempt] = {}
        self.next_answer: Answer = "given"

    def live(self, uid: str) -> list[str]:
        """The attempts of a model that cost money at this moment."""
        return [name for name, attempt in self._of(uid) if attempt.costs_money]

    def uploaded(self, uid: str) -> list[str]:
        """The attempts of a model whose artifacts are stored."""
        return [name for name, attempt in self._of(uid) if attempt.uploaded]

    def _of(self, uid: str) -> list[tuple[str, Attempt]]:
        return [(name, attempt) for name, attempt in self.attempts.items() if attempt.uid == uid]

    def _attempt(self, reference: AttemptReference) -> Attempt:
        return self.attempts.setdefault(reference.inference_id, Attempt(uid=reference.uid))

    # What the operator asks.

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Storage."""
        await turn()
        return await super().list_photos(runtime, model)

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute."""
        await turn()
        self._answer("submit_training", request, None)
        attempt = self.attempts.setdefault(request.inference_id, Attempt(uid=request.model.uid))
        assert not attempt.may_be_accepted, f"{request.inference_id} was submitted twice"
        answer, self.next_answer = self.next_answer, "given"
        if answer == "refused":
            raise out_of_reach("Throttled")
        attempt.may_be_accepted = True
        attempt.accepted = answer != "never called"
        attempt.base = request.base_model.sha256
        if answer != "given":
            raise OutcomeUnknownError("the answer was lost")
        return Submission()

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage."""
        await turn()
        self._answer("fence_attempt", attempt.inference_id, None)
        known = self._attempt(attempt)
        if known.claim == "Worker":
            return ClaimedByWorker(known.claimed)
        known.claim = "Operator"
        return Fenced()

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage."""
        await turn()
        self._answer("revoke_claim", attempt.inference_id, None)
        self._attempt(attempt).claim = "Operator"

    async def claimed_since(self, runtime: AvatarRuntime, attempt: AttemptReference) -> datetime | None:
        """See Storage."""
        self._answer("claimed_since", attempt.inference_id, None)
        known = self._attempt(attempt)
        return known.claimed if known.claim == "Worker" else None

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Compute."""
        await turn()
        self._answer("attempt_outcome", attempt.inference_id, None)
        match self._attempt(attempt).end:
            case "ok":
                return a_success(attempt.inference_id)
            case "broken":
                return AttemptFailed("InternalError", "oops", retryable=True)
            case "users fault":
                return AttemptFailed("TooFewUsablePhotos", "few", retryable=False)
            case None:
                return AttemptPending()

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Storage."""
        await turn()
        report = await super().delete_model_data(runtime, model, artifacts=artifacts)
        self._delete(model.metadata.uid)
        return report

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage."""
        report = await super().delete_owned(runtime, owner)
        self._delete(owner.uid)
        return report

    def _delete(self, uid: str) -> None:
        for _, attempt in self._of(uid):
            attempt.uploaded = False

    # What workers do.

    def worker_takes_the_next(self) -> None:
        """A worker takes a queued training, and its claim if it can."""
        for attempt in self.attempts.values():
            if attempt.accepted and attempt.claim is None:
                attempt.claim, attempt.claimed = "Worker", self._clock.now()
                return

    def worker_ends(self, end: End) -> None:
        """A worker is through."""
        for attempt in self.attempts.values():
            if attempt.claim == "Worker" and attempt.end is None:
                attempt.end, attempt.uploaded = end, end == "ok"
                return
