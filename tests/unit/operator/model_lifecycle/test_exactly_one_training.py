"""One training per revision and attempt, and the same end, whatever happens on the way.

The real lifecycle and reconciler run over an API server and a backend that fail in every way they can: answers are
lost before or after the call took effect, the process dies, the watch goes deaf, users edit at the worst moment, and
workers start and end whenever they like. The backend is judge and bookkeeper: it refuses nothing, and writes down
whatever would have been billed.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingRequest
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
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
from avatar_operator.backends.failures import OutcomeUnknownError
from avatar_operator.kube.client import KubeError
from builders.backend import ScriptedBackend, a_success, out_of_reach
from builders.objects import photos
from builders.world import MODEL_KEY, World

Answer = Literal["given", "lost", "never called", "refused"]
End = Literal["ok", "broken", "users fault"]


@dataclass
class Attempt:
    """One training as the backend sees it."""

    calls: int = 0
    may_be_accepted: bool = False
    accepted: bool = False
    claim: Literal["Worker", "Operator"] | None = None
    end: End | None = None

    @property
    def costs_money(self) -> bool:
        """Queued or running, and nobody has taken its claim away."""
        return self.accepted and self.claim != "Operator" and self.end is None


class BookkeepingBackend(ScriptedBackend):
    """A backend that trains nothing and forgets nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: dict[str, Attempt] = {}
        self.next_answer: Answer = "given"
        self.cancelled: set[str] = set()

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute."""
        attempt = self.attempts.setdefault(request.inference_id, Attempt())
        assert not attempt.may_be_accepted, f"{request.inference_id} was submitted twice"
        answer, self.next_answer = self.next_answer, "given"
        attempt.calls += 1
        if answer == "refused":
            raise out_of_reach("Throttled")
        attempt.may_be_accepted = True
        attempt.accepted = answer != "never called"
        if answer != "given":
            raise OutcomeUnknownError("the answer was lost")
        return Submission()

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Storage."""
        self._answer("fence_attempt", attempt.inference_id, None)
        known = self.attempts.setdefault(attempt.inference_id, Attempt())
        if known.claim == "Worker":
            return ClaimedByWorker()
        known.claim = "Operator"
        return Fenced()

    async def revoke_claim(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Storage."""
        self._answer("revoke_claim", attempt.inference_id, None)
        self.attempts.setdefault(attempt.inference_id, Attempt()).claim = "Operator"
        self.cancelled.add(attempt.inference_id)

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Compute."""
        self._answer("attempt_outcome", attempt.inference_id, None)
        match self.attempts.setdefault(attempt.inference_id, Attempt()).end:
            case "ok":
                return a_success(attempt.inference_id)
            case "broken":
                return AttemptFailed("InternalError", "oops", retryable=True)
            case "users fault":
                return AttemptFailed("TooFewUsablePhotos", "few", retryable=False)
            case None:
                return AttemptPending()

    def worker_takes_the_next(self) -> None:
        """A worker takes a queued training, and its claim if it can."""
        for attempt in self.attempts.values():
            if attempt.accepted and attempt.claim is None:
                attempt.claim = "Worker"
                return

    def worker_ends(self, end: End) -> None:
        """A worker is through."""
        for attempt in self.attempts.values():
            if attempt.claim == "Worker" and attempt.end is None:
                attempt.end = end
                return


class ExactlyOneTraining(RuleBasedStateMachine):
    """A model's life under all adversities."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World()
        self.backend = BookkeepingBackend()
        self.world.backend = self.backend
        self.world.crash()

    @initialize()
    def begin(self) -> None:
        self.world.add_runtime({"limits": {"training": {"maxAttempts": 20, "backoffSeconds": 1}}})
        self._run(self.world.settle(AVATAR_RUNTIME))
        self.world.add_model()

    @rule(times=st.integers(1, 3))
    def look(self, times: int) -> None:
        for _ in range(times):
            self._pass()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule(suspend=st.booleans())
    def suspend(self, suspend: bool) -> None:
        self.world.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})

    @rule(seconds=st.integers(60, 3600))
    def change_something_harmless(self, seconds: int) -> None:
        self.world.kube.edit(AVATAR_MODEL, "ann", {"activeDeadlineSeconds": seconds})

    @precondition(lambda self: self.world.model.spec.revision < 4)
    @rule()
    def raise_the_revision(self) -> None:
        self.world.kube.edit(AVATAR_MODEL, "ann", {"revision": self.world.model.spec.revision + 1})

    @rule(answer=st.sampled_from(["lost", "never called", "refused"]))
    def lose_the_next_submission(self, answer: Answer) -> None:
        self.backend.next_answer = answer

    @rule(answer=st.sampled_from(["lost", "never called", "refused"]), seconds=st.integers(60, 3600))
    def edit_while_the_submission_is_lost(self, answer: Answer, seconds: int) -> None:
        self.backend.next_answer = answer
        self.world.kube.edit(AVATAR_MODEL, "ann", {"activeDeadlineSeconds": seconds})
        self._pass()

    @rule(
        verb=st.sampled_from(
            ["fence_attempt", "revoke_claim", "attempt_outcome", "list_photos", "write_request"]
        )
    )
    def backend_out_of_reach(self, verb: str) -> None:
        self.backend.script(verb, out_of_reach())

    @rule()
    def photos_are_missing_once(self) -> None:
        self.backend.script("list_photos", photos(3))

    @rule(verb=st.sampled_from(["apply_status", "set_finalizers", "create_event"]), lost=st.booleans())
    def api_server_fails(self, verb: str, lost: bool) -> None:
        if lost:
            self.world.kube.lose_next_answer(verb)
        else:
            self.world.kube.fail_next(verb)

    @rule()
    def watch_goes_deaf(self) -> None:
        self.world.watching = False

    @rule()
    def watch_catches_up(self) -> None:
        self.world.watching = True
        self.world.catch_up()

    @rule()
    def worker_takes_the_next(self) -> None:
        self.backend.worker_takes_the_next()

    @rule(end=st.sampled_from(["ok", "broken", "users fault"]))
    def worker_ends(self, end: End) -> None:
        self.backend.worker_ends(end)

    @rule()
    def notification(self) -> None:
        self.world.models.hint_outcome(MODEL_KEY)

    @rule(seconds=st.sampled_from([1, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @invariant()
    def nothing_is_paid_for_twice(self) -> None:
        live = [name for name, attempt in self.backend.attempts.items() if attempt.costs_money]
        assert len(live) <= 1, f"paid for at the same time: {live}"

    @invariant()
    def no_artifact_without_a_training_that_succeeded(self) -> None:
        if self.world.kube.exists(AVATAR_MODEL, "ann") and self.world.model.status.artifact is not None:
            assert any(attempt.end == "ok" for attempt in self.backend.attempts.values())

    def teardown(self) -> None:
        try:
            if self.world.kube.exists(AVATAR_MODEL, "ann"):
                self._everything_is_well_again()
                self._the_end_is_the_same()
                self._deletion_leaves_nothing()
        finally:
            self.runner.close()

    def _everything_is_well_again(self) -> None:
        self.world.kube.heal()
        self.backend.forget_scripts()
        self.backend.next_answer = "given"
        self.watch_catches_up()
        revision = self.world.model.spec.revision + 1
        self.world.kube.edit(AVATAR_MODEL, "ann", {"revision": revision, "suspend": False})

    def _the_end_is_the_same(self) -> None:
        for _ in range(20):
            self._pass()
            self._pass()
            self.backend.worker_takes_the_next()
            self.backend.worker_ends("ok")
            self.notification()
            self.world.clock.advance(10)
        model = self.world.model
        assert model.status.state == "Ready"
        assert model.status.artifact is not None
        assert model.status.artifact.revision == model.spec.revision
        writes = self.world.kube.writes.copy()
        for _ in range(5):
            self._pass()
        assert self.world.kube.writes == writes

    def _deletion_leaves_nothing(self) -> None:
        self.world.kube.delete_as_user(AVATAR_MODEL, "ann")
        for _ in range(5):
            self._pass()
            self.world.clock.advance(60)
        assert not self.world.kube.exists(AVATAR_MODEL, "ann")
        assert not any(attempt.costs_money for attempt in self.backend.attempts.values())

    def _pass(self) -> None:
        # The queue would back off and come again; here the next rule does.
        with contextlib.suppress(KubeError):
            self._run(self.world.look_at(AVATAR_MODEL))
        self.nothing_is_paid_for_twice()

    def _run(self, story: Coroutine[Any, Any, Any]) -> None:
        self.runner.run(story)


TestExactlyOneTraining = ExactlyOneTraining.TestCase
TestExactlyOneTraining.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
