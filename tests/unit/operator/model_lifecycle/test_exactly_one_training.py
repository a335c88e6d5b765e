"""One training per revision and attempt, the same end and the same news, whatever happens on the way.

Real lifecycles and reconcilers of two operators run over an API server and a backend that fail in every way they can:
answers are lost before or after the call took effect, verbs are out for a while, processes die, watches go deaf, the
topic cannot be reached, users edit, delete and create anew at the worst moment, platform teams change the runtime, and
workers start and end whenever they like. One operator has the Lease and acts. It may lose it in the middle of a pass, and
end that pass much later, with nothing to keep it from it: worse than what `kube.leadership` allows. The backend is judge
and bookkeeper (`builders.training_books`).

`make nightly MINUTES=60` goes on with other stories for as long as it is told.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avatar_api.avatar_model import AvatarModel
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, Kind
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.left_behind.folding import CLEANUP_PATIENCE_SECONDS
from builders.backend import a_success, out_of_reach
from builders.machine_settings import machine_settings
from builders.manifests import model_manifest
from builders.objects import photos
from builders.told_news import ToldNews
from builders.training_books import Answer, End, TrainingBooks
from builders.turns import GATE, Gate, TakingTurns
from builders.world import MODEL_KEY, World

VERBS = (
    "list_photos",
    "write_request",
    "submit_training",
    "fence_attempt",
    "revoke_claim",
    "stop_training",
    "claimed_since",
    "attempt_outcome",
    "examine_artifact",
    "delete_model_data",
    "delete_outcomes",
    "ensure_endpoints",
)
RUNTIME_EDITS = (
    {"baseModel": {"source": "s3://models/other/", "sha256": "c" * 64}},
    {"baseModel": {"source": "s3://models/base/", "sha256": "b" * 64}},
    {"backend": {"sagemaker": {"training": {"endpointName": "another-training"}}}},
    {"limits": {"training": {"queueDeadlineSeconds": 600}}},
    {"limits": {"training": {"queueDeadlineSeconds": 21600}}},
    {"limits": {"training": {"activeDeadlineSeconds": 600}}},
)


class ExactlyOneTraining(RuleBasedStateMachine):
    """A model's life under all adversities."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(api_server=TakingTurns)
        self.kube = self.world.kube
        self.books = TrainingBooks(self.world.clock)
        self.world.backend = self.books
        self.world.crash()
        self.leader, self.standby = self.world, World(beside=self.world)
        self.news = ToldNews(self.world.announcer)
        self.kube.watch(self.news.see)
        self.kube.watch(self._see)
        self.uids: list[str] = []
        self.gone: set[str] = set()
        """Models that are gone, and were not given up on."""
        self.stopped: tuple[Gate, asyncio.Task[None]] | None = None
        """The pass of the standby that was not over when it lost the Lease."""

    @property
    def exists(self) -> bool:
        """Whether there is a model of the name."""
        return self.kube.exists(AVATAR_MODEL, "ann")

    # What users and platform teams do.

    @initialize()
    def begin(self) -> None:
        self.world.add_runtime({"limits": {"training": {"maxAttempts": 20, "backoffSeconds": 1}}})
        self._run(self.leader.settle(AVATAR_RUNTIME))
        self.create()

    @precondition(lambda self: not self.exists)
    @rule()
    def create(self) -> None:
        uid = f"{len(self.uids) + 1:08d}-2222-3333-4444-555555555555"
        self.uids.append(uid)
        self.kube.create(AVATAR_MODEL, model_manifest(), uid=uid)

    @precondition(lambda self: self.exists)
    @rule()
    def delete(self) -> None:
        self.kube.delete_as_user(AVATAR_MODEL, "ann")

    @precondition(lambda self: self.exists)
    @rule(suspend=st.booleans())
    def suspend(self, *, suspend: bool) -> None:
        self.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})

    @precondition(lambda self: self.exists)
    @rule(seconds=st.sampled_from([60, 600, 3600, 7200]))
    def change_a_deadline(self, seconds: int) -> None:
        self.kube.edit(AVATAR_MODEL, "ann", {"activeDeadlineSeconds": seconds})

    @precondition(lambda self: self.exists)
    @rule()
    def raise_the_revision(self) -> None:
        self.kube.edit(AVATAR_MODEL, "ann", {"revision": self.world.model.spec.revision + 1})

    @rule(spec=st.sampled_from(RUNTIME_EDITS), seen=st.booleans())
    def edit_the_runtime(self, spec: Any, *, seen: bool) -> None:
        self.kube.edit(AVATAR_RUNTIME, "standard", spec)
        if seen:
            self._pass(AVATAR_RUNTIME)

    # What the operators do, and what is done to them.

    @rule(times=st.integers(1, 3))
    def look(self, times: int) -> None:
        for _ in range(times):
            self._pass(AVATAR_MODEL)

    @rule()
    def look_at_the_runtime(self) -> None:
        self._pass(AVATAR_RUNTIME)

    @rule()
    def notification(self) -> None:
        self.leader.models.hint_outcome(MODEL_KEY)

    @rule()
    def renew_the_lease(self) -> None:
        self._run(self.leader.renew_lease())

    @rule()
    def crash(self) -> None:
        self.leader.crash()
        self.news.a_process_died()

    @precondition(lambda self: self.stopped is None)
    @rule(effects=st.integers(0, 6))
    def lose_the_lease_in_the_middle_of_a_pass(self, effects: int) -> None:
        gate = Gate(effects)
        self._run(self._until_stopped(gate))
        self.leader, self.standby = self.standby, self.leader
        if self.stopped is None:
            self.standby.crash()
        self._run(_listed(self.leader))
        self.news.a_process_died()

    @precondition(lambda self: self.stopped is not None)
    @rule()
    def the_pass_that_was_stopped_ends(self) -> None:
        assert self.stopped is not None
        gate, task = self.stopped
        self.stopped = None
        gate.open()
        self._run(_ended(task))
        # It finds that it does not lead any more, and ends.
        self.standby.crash()

    @rule(answer=st.sampled_from(["lost", "never called", "refused"]), edit=st.booleans())
    def lose_the_next_submission(self, answer: Answer, *, edit: bool) -> None:
        self.books.next_answer = answer
        if edit and self.exists:
            self.kube.edit(AVATAR_MODEL, "ann", {"activeDeadlineSeconds": 3601})
            self._pass(AVATAR_MODEL)

    @rule(verb=st.sampled_from(VERBS))
    def a_call_fails(self, verb: str) -> None:
        self.books.script(verb, out_of_reach())

    @rule(verbs=st.sets(st.sampled_from(VERBS), min_size=1))
    def an_outage_begins(self, verbs: set[str]) -> None:
        self.books.out |= verbs

    @rule()
    def the_outage_ends(self) -> None:
        self.books.out.clear()

    @rule(reached=st.booleans())
    def the_topic_is_reached_or_not(self, *, reached: bool) -> None:
        self.world.announcer.trouble = None if reached else out_of_reach()

    @rule()
    def photos_are_missing_once(self) -> None:
        self.books.script("list_photos", photos(3))

    @rule(verb=st.sampled_from(["apply_status", "set_finalizers", "create_event"]), lost=st.booleans())
    def api_server_fails(self, verb: str, *, lost: bool) -> None:
        if lost:
            self.kube.lose_next_answer(verb)
        else:
            self.kube.fail_next(verb)

    @rule()
    def watch_goes_deaf(self) -> None:
        self.leader.watching = False

    @rule()
    def watch_catches_up(self) -> None:
        for world in (self.leader, self.standby):
            world.watching = True
            self._run(_listed(world))

    @rule()
    def worker_takes_the_next(self) -> None:
        self.books.worker_takes_the_next()

    @rule(end=st.sampled_from(["ok", "broken", "users fault"]))
    def worker_ends(self, end: End) -> None:
        self.books.worker_ends(end)

    @rule(seconds=st.sampled_from([1, 60, 700, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    # What must hold.

    @invariant()
    def no_model_is_paid_for_twice_at_a_time(self) -> None:
        for uid in self.uids:
            live = self.books.live(uid)
            assert len(live) <= 1, f"paid for at the same time: {live}"

    @invariant()
    def nothing_of_a_deleted_model_is_left(self) -> None:
        for uid in self.gone:
            assert self.books.live(uid) == [], "a worker still works"
            assert self.books.uploaded(uid) == [], "an artifact is still there"

    @invariant()
    def an_artifact_is_of_a_training_that_succeeded_and_says_its_base(self) -> None:
        if not self.exists or self.world.model.status.artifact is None:
            return
        artifact = self.world.model.status.artifact
        (made_by,) = [
            attempt
            for name, attempt in self.books.attempts.items()
            if a_success(name).result.artifact.target_model == artifact.target_model
        ]
        assert made_by.end == "ok"
        assert artifact.base_model.rpartition("@")[2] == made_by.base[:12]

    @invariant()
    def nothing_is_told_that_is_not_so(self) -> None:
        assert self.news.invented() == set()

    def teardown(self) -> None:
        try:
            if self.uids:
                self._everything_is_well_again()
                self._the_end_is_the_same()
                assert self.news.missing() == set()
                self._deletion_leaves_nothing()
        finally:
            self.runner.close()

    def _everything_is_well_again(self) -> None:
        if self.stopped is not None:
            self.the_pass_that_was_stopped_ends()
        self.kube.heal()
        self.books.forget_scripts()
        self.books.next_answer = "given"
        self.the_outage_ends()
        self.the_topic_is_reached_or_not(reached=True)
        self.watch_catches_up()
        for _ in range(3):
            self._pass(AVATAR_RUNTIME)
        if self.exists and self.world.model.metadata.deletion_timestamp is not None:
            self._model_goes()
        if not self.exists:
            self.create()
        revision = self.world.model.spec.revision + 1
        self.kube.edit(
            AVATAR_MODEL, "ann", {"revision": revision, "suspend": False, "activeDeadlineSeconds": 600}
        )

    def _the_end_is_the_same(self) -> None:
        for _ in range(20):
            self._pass(AVATAR_MODEL)
            self._pass(AVATAR_MODEL)
            self.books.worker_takes_the_next()
            self.books.worker_ends("ok")
            self.notification()
            self.world.clock.advance(10)
        model = self.world.model
        assert model.status.state == "Ready"
        assert model.status.artifact is not None
        assert model.status.artifact.revision == model.spec.revision
        writes = self.kube.writes.copy()
        for _ in range(5):
            self._pass(AVATAR_MODEL)
        assert self.kube.writes == writes

    def _deletion_leaves_nothing(self) -> None:
        self.delete()
        self._model_goes()
        self.nothing_of_a_deleted_model_is_left()

    def _model_goes(self) -> None:
        for _ in range(8):
            self._pass(AVATAR_MODEL)
            self._pass(AVATAR_RUNTIME)
            self.world.clock.advance(60)
        assert not self.exists

    # How it is done.

    def _see(self, kind: Kind, body: Object, gone: bool) -> None:
        if kind == AVATAR_MODEL and gone:
            since = AvatarModel.model_validate(body).metadata.deletion_timestamp
            # Nobody held one that is gone without having been going.
            age = 0.0 if since is None else (self.world.clock.now() - since).total_seconds()
            if age < CLEANUP_PATIENCE_SECONDS:
                self.gone.add(body["metadata"]["uid"])

    def _pass(self, kind: Kind) -> None:
        self._run(_a_pass(self.leader, kind))
        self.no_model_is_paid_for_twice_at_a_time()

    async def _until_stopped(self, gate: Gate) -> None:
        async def behind_the_gate() -> None:
            GATE.set(gate)
            await _a_pass(self.leader, AVATAR_MODEL)

        task = asyncio.create_task(behind_the_gate())
        # Nothing in here takes time: a pass that is not over after so many turns of the loop waits at the gate.
        for _ in range(200):
            await asyncio.sleep(0)
        if task.done():
            task.result()
        else:
            self.stopped = (gate, task)

    def _run(self, story: Coroutine[Any, Any, Any]) -> None:
        self.runner.run(story)


async def _a_pass(operator: World, kind: Kind) -> None:
    # The queue would back off and come again; here the next rule does.
    with contextlib.suppress(KubeError):
        await operator.look_at(kind)


async def _listed(operator: World) -> None:
    operator.catch_up()


async def _ended(task: asyncio.Task[None]) -> None:
    await task


TestExactlyOneTraining = ExactlyOneTraining.TestCase
TestExactlyOneTraining.settings = machine_settings(examples=60, steps=40)
