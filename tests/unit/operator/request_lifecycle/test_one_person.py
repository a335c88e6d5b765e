"""One request, one person, one end, whatever happens on the way.

Real lifecycles and reconcilers of two operators run over an API server and a backend that fail in every way they can.
One of them has the lease and acts; the other may be caught in the middle of a pass when it loses it, and ends that pass
later. The model is deleted, created anew for somebody else and trained again; the runtime is edited; the user deletes
the request at any time. The backend is judge and bookkeeper (`builders.drawing_books`).
"""

import uuid
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from builders.backend import out_of_reach
from builders.drawing_books import Answer
from builders.machine_settings import machine_settings
from builders.manifests import model_manifest, request_manifest
from builders.two_operators import TwoOperators

HEALABLE = ("Throttled", "InvocationTimedOut", "ServiceUnavailable")
DEADLINE_SECONDS = 3600
ONE_DAY = 86400
VERBS = (
    "draw",
    "check_artifact",
    "existing_pictures",
    "describe_pictures",
    "delete_request_data",
    "holds_request_data",
    "delete_owned",
)
SPEC = {"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}], "ttlSecondsAfterFinished": 100000}


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
        self.operators = TwoOperators()
        self.world, self.books = self.operators.world, self.operators.books
        self.batches: list[Batch] = []
        self.people = 0

    # What the user and the platform team do.

    @initialize(drawn=st.integers(0, 5))
    def begin(self, drawn: int) -> None:
        # One picture an invocation: most of a request's life is between two of them.
        self.world.add_runtime({"limits": {"inference": {"picturesPerInvocation": 1}}})
        self.operators.run(self.world.settle(AVATAR_RUNTIME))
        self.create_model()
        self.operators.train()
        self.create_request()
        self._look(drawn + 1)

    @precondition(lambda self: not self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def create_model(self) -> None:
        self.people += 1
        uid = f"{self.people:08d}-2222-3333-4444-555555555555"
        self.operators.do(lambda: self.world.kube.create(AVATAR_MODEL, model_manifest(), uid=uid))

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule(lingers=st.booleans())
    def delete_model(self, *, lingers: bool) -> None:
        self.operators.do(lambda: self.world.kube.delete_as_user(AVATAR_MODEL, "ann"))
        for _ in range(0 if lingers else 3):
            self.operators.look_at(AVATAR_MODEL)
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def somebody_else_takes_the_name(self) -> None:
        self.operators.do(lambda: self.world.kube.remove_by_force(AVATAR_MODEL, "ann"))
        self.create_model()
        self.operators.train()
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_MODEL, "ann"))
    @rule()
    def train_again(self) -> None:
        revision = self.world.model.spec.revision + 1
        self.operators.do(lambda: self.world.kube.edit(AVATAR_MODEL, "ann", {"revision": revision}))
        self.operators.train()
        self._look(1)

    @precondition(lambda self: not self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule()
    def create_request(self) -> None:
        batch = Batch(str(uuid.UUID(int=len(self.batches) + 1)))
        self.batches.append(batch)
        manifest = request_manifest(spec=SPEC)
        self.operators.do(lambda: self.world.kube.create(AVATAR_REQUEST, manifest, uid=batch.uid))

    @precondition(lambda self: self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule()
    def delete_request(self) -> None:
        self.operators.do(lambda: self.world.kube.delete_as_user(AVATAR_REQUEST, "portraits"))

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
        self.operators.do(lambda: self.world.kube.edit(AVATAR_RUNTIME, "standard", spec))
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_RUNTIME, "standard"))
    @rule()
    def delete_runtime(self) -> None:
        self.operators.do(lambda: self.world.kube.delete_as_user(AVATAR_RUNTIME, "standard"))
        for _ in range(2):
            self.operators.look_at(AVATAR_RUNTIME)

    # What the operators do, and what is done to them.

    @rule(times=st.integers(1, 3))
    def look(self, times: int) -> None:
        self._look(times)

    @precondition(lambda self: self.operators.caught_pass is None)
    @rule()
    def lose_the_lease_in_the_middle_of_a_pass(self) -> None:
        self.operators.catch_a_pass_over(AVATAR_REQUEST)
        self.operators.fail_over()

    @precondition(lambda self: self.operators.caught_pass is not None)
    @rule()
    def the_pass_that_was_caught_ends(self) -> None:
        self.operators.let_the_caught_pass_end()

    @precondition(lambda self: self.operators.caught_pass is None)
    @rule()
    def fail_over(self) -> None:
        self.operators.fail_over()

    @rule()
    def crash(self) -> None:
        self.operators.do(self.operators.leader.crash)
        self._look(1)

    @rule(answer=st.sampled_from(["loading", "lost", "throttled", "refused"]))
    def next_call_goes_wrong(self, answer: Answer) -> None:
        self.books.next_answer = answer
        self._look(1)

    @rule(verb=st.sampled_from(["existing_pictures", "describe_pictures", "delete_request_data"]))
    def storage_out_of_reach(self, verb: str) -> None:
        self.books.script(verb, out_of_reach())
        self._look(1)

    @rule(verbs=st.sets(st.sampled_from(VERBS), min_size=1))
    def an_outage_begins(self, verbs: set[str]) -> None:
        self.books.out |= verbs
        self._look(1)

    @precondition(lambda self: self.world.kube.exists(AVATAR_REQUEST, "portraits"))
    @rule(seconds=st.sampled_from([60, 4000, 5000]))
    def delete_request_in_a_long_outage(self, seconds: int) -> None:
        self.books.out.add("delete_request_data")
        self.delete_request()
        self._look(1)
        self.time_passes(seconds)
        self._look(2)

    @rule()
    def the_outage_ends(self) -> None:
        self.books.out.clear()
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
        self.operators.leader.watching = False

    @rule()
    def watch_catches_up(self) -> None:
        self.operators.watch_again()

    @rule()
    def late_pictures_come(self) -> None:
        self.books.late_pictures_come(all_of_them=True)

    @rule(seconds=st.sampled_from([1, 30, 60, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.operators.advance(seconds)

    # What must hold.

    @invariant()
    def all_pictures_of_a_request_show_one_person(self) -> None:
        for prefix, artifacts in self.books.drawn_with.items():
            assert len(artifacts) == 1, f"{prefix} was drawn with {sorted(artifacts)}"

    @invariant()
    def only_what_was_promised_is_drawn(self) -> None:
        if not self.world.kube.exists(AVATAR_REQUEST, "portraits"):
            return
        batch, status = self.batches[-1], self.world.request.status
        artifacts = self.books.drawn_with.get(batch.prefix, set())
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
            stored = self.books.stored[self.batches[-1].prefix]
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
            self.operators.close()

    def _everything_is_well_again(self) -> None:
        self.operators.let_the_caught_pass_end()
        self.world.kube.heal()
        self.books.forget_scripts()
        self.books.out.clear()
        self.books.next_answer = "given"
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
            self._look(1)
            self.time_passes(60)
        self._what_was_left_behind_goes()
        assert not self.world.kube.exists(AVATAR_REQUEST, "portraits")
        if self.world.kube.exists(AVATAR_RUNTIME, "standard"):
            assert {prefix: names for prefix, names in self.books.stored.items() if names} == {}

    def _what_was_left_behind_goes(self) -> None:
        for _ in range(3):
            self.operators.advance(ONE_DAY)
            self.operators.look_at(AVATAR_RUNTIME)

    def _look(self, times: int) -> None:
        for _ in range(times):
            self.operators.look_at(AVATAR_REQUEST)
            if self.operators.leader.brought_back:
                # The runtime takes over what the request cannot remove.
                self.operators.leader.brought_back.clear()
                self.operators.look_at(AVATAR_RUNTIME)


TestOnePerson = OnePerson.TestCase
TestOnePerson.settings = machine_settings(examples=40, steps=30)
