"""One request, one person, one end, whatever happens on the way.

Real lifecycles and reconcilers of two operators run over an API server and a backend that fail in every way they can.
One of them has the lease and acts; the other may be caught in the middle of a pass when it loses it, and ends that pass
later. The model is deleted, created anew for somebody else and trained again; the runtime is edited; the user deletes
the request at any time. The backend is judge and bookkeeper: it writes down who was drawn for which request, and calls
that nobody hears the end of store their pictures up to a minute later.
"""

import asyncio
import contextlib
import functools
import uuid
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult, ModelLoading
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.client import KubeError
from builders.backend import ScriptedBackend, denied, out_of_reach
from builders.clock import FakeClock
from builders.machine_settings import machine_settings
from builders.manifests import model_manifest, request_manifest
from builders.world import MODEL_KEY, World

Answer = Literal["given", "loading", "lost", "throttled", "refused"]
HEALABLE = ("Throttled", "InvocationTimedOut", "ServiceUnavailable")
CALL_SECONDS = 60
DEADLINE_SECONDS = 3600
SPEC = {"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}], "ttlSecondsAfterFinished": 100000}


@dataclass
class Pass:
    """One pass of one operator. `caught`: it goes on after something else has happened."""

    operator: World
    caught: bool = False


@dataclass(frozen=True)
class LateCall:
    """A call whose answer was lost; its pictures come when they come."""

    prefix: str
    names: frozenset[str]
    made: datetime


CURRENT: ContextVar[Pass] = ContextVar("the pass that calls")


class BookkeepingBackend(ScriptedBackend):
    """A backend that draws nothing and forgets nothing."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.stored: defaultdict[str, set[str]] = defaultdict(set)
        """By prefix, the names of what lies there."""
        self.drawn_with: defaultdict[str, set[str]] = defaultdict(set)
        """By prefix, every artifact that anything was drawn with."""
        self.late: list[LateCall] = []
        self.next_answer: Answer = "given"
        self.catch_next = False
        self.released = asyncio.Event()
        self.caught = asyncio.Event()

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute."""
        self._judge(call)
        answer, self.next_answer = self.next_answer, "given"
        names = frozenset(picture.file_name() for picture in call.pictures)
        self.drawn_with[call.output_prefix].add(call.target_model)
        await self._caught()
        match answer:
            case "loading":
                return ModelLoading()
            case "throttled":
                raise out_of_reach("Throttled")
            case "refused":
                raise denied("PromptTooLong")
            case "lost":
                self.late.append(LateCall(call.output_prefix, names, self._clock.now()))
                raise out_of_reach("InvocationTimedOut")
            case "given":
                self.stored[call.output_prefix] |= names
                return Drawn(generate_seconds=1.0)

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage."""
        self._answer("existing_pictures", output_prefix, None)
        await self._caught()
        return frozenset(self.stored[output_prefix])

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Storage."""
        self._answer("delete_request_data", request.metadata.uid, None)
        assert request.status.storage_prefix is not None
        self.stored[request.status.storage_prefix].clear()
        return CleanupReport()

    def late_pictures_come(self, *, all_of_them: bool) -> None:
        """Calls that were lost end: those that must have by now, or all."""
        latest = self._clock.now() - timedelta(seconds=CALL_SECONDS)
        for call in tuple(self.late):
            if all_of_them or call.made <= latest:
                self.late.remove(call)
                self.stored[call.prefix] |= call.names

    def _judge(self, call: DrawCall) -> None:
        if CURRENT.get().caught:
            return
        cache = CURRENT.get().operator.cache
        model = cache.get(MODEL_KEY)
        assert model is not None, "drawn with a model that was seen to be gone"
        assert "deletionTimestamp" not in model["metadata"], "drawn with a model that was seen to go"
        owner = f"team-a/{model['metadata']['uid']}/"
        assert call.target_model.startswith(owner), f"{call.target_model} is not of {owner}"

    async def _caught(self) -> None:
        if self.catch_next:
            self.catch_next = False
            CURRENT.get().caught = True
            self.caught.set()
            await self.released.wait()


@dataclass
class Batch:
    """One request of a user's, as long as it exists and beyond."""

    uid: str
    ended: bool = False
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        self.prefix = f"s3://pictures/team-a/{self.uid}/"


class OnePerson(RuleBasedStateMachine):
    """A request's life under all adversities."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World()
        self.backend = BookkeepingBackend(self.world.clock)
        self.world.backend = self.backend
        self.world.crash()
        self.leader, self.standby = self.world, World(beside=self.world)
        self.batches: list[Batch] = []
        self.caught_pass: asyncio.Task[None] | None = None
        self.caught_since: datetime | None = None
        self.people = 0

    # What the user and the platform team do.

    @initialize(drawn=st.integers(0, 5))
    def begin(self, drawn: int) -> None:
        # One picture an invocation: most of a request's life is between two of them.
        self.world.add_runtime({"limits": {"inference": {"picturesPerInvocation": 1}}})
        self._run(self.world.settle(AVATAR_RUNTIME))
        self.create_model()
        self._train()
        self.create_request()
        self._look(drawn + 1)

    @precondition(lambda self: not self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def create_model(self) -> None:
        self.people += 1
        uid = f"{self.people:08d}-2222-3333-4444-555555555555"
        self._do(lambda: self.world.kube.create(AVATAR_MODEL, model_manifest(), uid=uid))

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule(lingers=st.booleans())
    def delete_model(self, *, lingers: bool) -> None:
        self._do(lambda: self.world.kube.delete_as_user(AVATAR_MODEL, "ann"))
        for _ in range(0 if lingers else 3):
            self._pass(AVATAR_MODEL)
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def somebody_else_takes_the_name(self) -> None:
        self._do(lambda: self.world.kube.remove_by_force(AVATAR_MODEL, "ann"))
        self.create_model()
        self._train()
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def train_again(self) -> None:
        revision = self.world.model.spec.revision + 1
        self._do(lambda: self.world.kube.edit(AVATAR_MODEL, "ann", {"revision": revision}))
        self._train()
        self._look(1)

    @precondition(lambda self: not self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule()
    def create_request(self) -> None:
        batch = Batch(str(uuid.UUID(int=len(self.batches) + 1)))
        self.batches.append(batch)
        manifest = request_manifest(spec=SPEC)
        self._do(lambda: self.world.kube.create(AVATAR_REQUEST, manifest, uid=batch.uid))

    @precondition(lambda self: self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule()
    def delete_request(self) -> None:
        self._do(lambda: self.world.kube.delete_as_user(AVATAR_REQUEST, "portraits"))

    @precondition(lambda self: self.world.kube.exists(AVATAR_REQUEST, "portraits") and self.batches[-1].ended)
    @rule()
    def ask_for_more_pictures(self) -> None:
        self.delete_request()
        self._look(3)
        if not self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            self.create_request()
            self._look(2)

    @precondition(lambda self: self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule()
    def delete_request_while_it_waits_for_an_answer(self) -> None:
        self.next_call_goes_wrong("lost")
        if self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            self.delete_request()
        self._look(2)

    @precondition(lambda self: self.world.kube.exists(AVATAR_RUNTIME, "standard"))
    @rule(admitted=st.booleans(), pictures=st.integers(1, 2))
    def edit_runtime(self, *, admitted: bool, pictures: int) -> None:
        spec = {
            "tenancy": {"allowedNamespaces": ["*"] if admitted else ["team-b"]},
            "limits": {"inference": {"picturesPerInvocation": pictures}},
        }
        self._do(lambda: self.world.kube.edit(AVATAR_RUNTIME, "standard", spec))
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_RUNTIME, "standard"))
    @rule()
    def delete_runtime(self) -> None:
        self._do(lambda: self.world.kube.delete_as_user(AVATAR_RUNTIME, "standard"))
        for _ in range(2):
            self._pass(AVATAR_RUNTIME)

    # What the operators do, and what is done to them.

    @rule(times=st.integers(1, 3))
    def look(self, times: int) -> None:
        self._look(times)

    @precondition(lambda self: self.caught_pass is None)
    @rule()
    def lose_the_lease_in_the_middle_of_a_pass(self) -> None:
        self.backend.catch_next = True
        self._run(self._until_caught())
        self.backend.catch_next = False
        self.fail_over()

    @precondition(lambda self: self.caught_pass is not None)
    @rule()
    def the_pass_that_was_caught_ends(self) -> None:
        assert self.caught_pass is not None
        self.backend.released.set()
        self._run(self._ended(self.caught_pass))
        self.caught_pass, self.caught_since = None, None
        # Whoever has lost the lease ends its process.
        self._do(self.standby.crash)

    @precondition(lambda self: self.caught_pass is None)
    @rule()
    def fail_over(self) -> None:
        self.leader, self.standby = self.standby, self.leader
        if self.caught_pass is None:
            self._do(self.standby.crash)

    @rule()
    def crash(self) -> None:
        self._do(self.leader.crash)
        self._look(1)

    @rule(answer=st.sampled_from(["loading", "lost", "throttled", "refused"]))
    def next_call_goes_wrong(self, answer: Answer) -> None:
        self.backend.next_answer = answer
        self._look(1)

    @rule(verb=st.sampled_from(["existing_pictures", "describe_pictures", "delete_request_data"]))
    def storage_out_of_reach(self, verb: str) -> None:
        self.backend.script(verb, out_of_reach())
        self._look(1)

    @rule(
        verb=st.sampled_from(["apply_status", "set_finalizers", "create_event", "delete"]), lost=st.booleans()
    )
    def api_server_fails(self, verb: str, *, lost: bool) -> None:
        if lost:
            self.world.kube.lose_next_answer(verb)
        else:
            self.world.kube.fail_next(verb)
        self._look(1)

    @rule()
    def watch_goes_deaf(self) -> None:
        self.leader.watching = False

    @rule()
    def watch_catches_up(self) -> None:
        for world in (self.leader, self.standby):
            world.watching = True
            self._do(functools.partial(_relist, world))

    @rule()
    def late_pictures_come(self) -> None:
        self.backend.late_pictures_come(all_of_them=True)

    @rule(seconds=st.sampled_from([1, 30, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        until = self.world.clock.now() + timedelta(seconds=seconds)
        if self.caught_since is not None and until - self.caught_since >= timedelta(seconds=CALL_SECONDS):
            # SageMaker ends a call by then.
            self.the_pass_that_was_caught_ends()
        self.world.clock.advance(seconds)
        self.backend.late_pictures_come(all_of_them=False)

    # What must hold.

    @invariant()
    def all_pictures_of_a_request_show_one_person(self) -> None:
        for prefix, artifacts in self.backend.drawn_with.items():
            assert len(artifacts) == 1, f"{prefix} was drawn with {sorted(artifacts)}"

    @invariant()
    def only_what_was_promised_is_drawn(self) -> None:
        if not self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            return
        batch, status = self.batches[-1], self.world.request.status
        artifacts = self.backend.drawn_with.get(batch.prefix, set())
        if artifacts:
            assert status.model is not None
            assert artifacts == {status.model.target_model}
            assert status.model.target_model.startswith(f"team-a/{status.model.uid}/")

    @invariant()
    def success_means_that_every_picture_is_there(self) -> None:
        if not self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            return
        request = self.world.request
        going = request.metadata.deletion_timestamp is not None
        if request.status.state == "Succeeded" and not going:
            stored = self.backend.stored[self.batches[-1].prefix]
            assert {picture.uri.rpartition("/")[2] for picture in request.status.images} == stored
            assert len(stored) == 6

    @invariant()
    def what_may_heal_ends_no_request(self) -> None:
        if self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            failure = self.world.request.status.last_failure
            assert failure is None or failure.reason not in HEALABLE

    @invariant()
    def an_end_is_an_end(self) -> None:
        if self.world.kube.exists(AVATAR_REQUEST, "portraits") and self.batches:
            batch, state = self.batches[-1], self.world.request.status.state
            if batch.ended:
                assert state in ("Succeeded", "Failed", "Deleting")
            batch.ended = batch.ended or state in ("Succeeded", "Failed")

    def teardown(self) -> None:
        try:
            if self.batches:
                self._everything_is_well_again()
                self._every_request_ends()
                self._deletion_leaves_nothing()
        finally:
            self.runner.close()

    def _everything_is_well_again(self) -> None:
        if self.caught_pass is not None:
            self.the_pass_that_was_caught_ends()
        self.world.kube.heal()
        self.backend.forget_scripts()
        self.backend.next_answer = "given"
        self.watch_catches_up()

    def _every_request_ends(self) -> None:
        if not self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            return
        for _ in range(3):
            self._look(20)
            self.time_passes(DEADLINE_SECONDS)
        if self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            assert self.world.request.status.state in ("Succeeded", "Failed")
            writes = self.world.kube.writes.copy()
            self._look(3)
            assert self.world.kube.writes == writes
        for name in ("success_means_that_every_picture_is_there", "only_what_was_promised_is_drawn"):
            getattr(self, name)()

    def _deletion_leaves_nothing(self) -> None:
        if self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            self.delete_request()
        for _ in range(5):
            self._pass(AVATAR_REQUEST)
            self.time_passes(60)
        assert not self.world.kube.exists(AVATAR_REQUEST, "portraits")
        if self.world.kube.exists(AVATAR_RUNTIME, "standard"):
            assert {prefix: names for prefix, names in self.backend.stored.items() if names} == {}

    # How it is done.

    def _train(self) -> None:
        for _ in range(3):
            self._pass(AVATAR_MODEL)
        model = self.world.model if self.world.kube.exists(AVATAR_MODEL, "ann") else None
        if model is not None and model.metadata.deletion_timestamp is None:
            with contextlib.suppress(KubeError, AssertionError):
                self._run(self._as_leader(self.leader.train()))

    def _look(self, times: int) -> None:
        for _ in range(times):
            self._pass(AVATAR_REQUEST)

    def _pass(self, kind: Kind) -> None:
        # The queue would back off and come again; here the next rule does.
        with contextlib.suppress(KubeError):
            self._run(self._as_leader(self.leader.look_at(kind)))

    async def _as_leader(self, story: Coroutine[Any, Any, Any]) -> None:
        CURRENT.set(Pass(self.leader))
        await story

    async def _until_caught(self) -> None:
        self.backend.caught.clear()
        self.backend.released.clear()
        task = asyncio.create_task(self._caught_pass())
        caught = asyncio.create_task(self.backend.caught.wait())
        await asyncio.wait([task, caught], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            caught.cancel()
            await task
        else:
            self.caught_pass, self.caught_since = task, self.world.clock.now()

    async def _caught_pass(self) -> None:
        with contextlib.suppress(KubeError):
            await self._as_leader(self.leader.look_at(AVATAR_REQUEST))

    @staticmethod
    async def _ended(task: asyncio.Task[None]) -> None:
        await task

    def _do(self, change: Callable[[], object]) -> None:
        """Change something where the watch is heard: in the loop."""

        async def changed() -> None:
            change()

        self._run(changed())

    def _run(self, story: Coroutine[Any, Any, Any]) -> None:
        self.runner.run(story)


def _relist(world: World) -> None:
    """What a watch does that was deaf: show what there is, and what is gone."""
    there = {
        ObjectKey(kind.kind, body["metadata"].get("namespace", ""), body["metadata"]["name"]): kind
        for kind, body in world.kube.everything()
    }
    for kind in (AVATAR_RUNTIME, AVATAR_MODEL, AVATAR_REQUEST):
        for key in _gone(world.cache.keys(kind), there):
            body = world.cache.get(key)
            assert body is not None
            world.cache.remove(kind, key, body["metadata"]["uid"])
    world.catch_up()


def _gone(known: Sequence[ObjectKey], there: dict[ObjectKey, Kind]) -> list[ObjectKey]:
    return [key for key in known if key not in there]


TestOnePerson = OnePerson.TestCase
TestOnePerson.settings = machine_settings(examples=40, steps=30)
