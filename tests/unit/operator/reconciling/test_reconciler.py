"""The one reconcile loop: what happens in which order, and what happens when somebody was faster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.group import AVATAR_MODEL, FINALIZER, Kind
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.decision import ActionFailed, Draft, Notice, Retry
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.reconciling.reconciler import LATE_WATCH_SECONDS, Reconciled, Reconciler
from avatar_operator.reconciling.trouble import Troubles
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.manifests import model_manifest

KEY = ObjectKey("AvatarModel", "team-a", "ann")
ModelDraft = Draft[AvatarModelStatus, str]
PENDING = AvatarModelStatus(state="Pending")
NEWS = Notice("Normal", "News", "Something happened.")


@dataclass
class OneDecision:
    """A lifecycle that decides what the test says, and writes down in which order it is asked."""

    change: Callable[[ModelDraft], ModelDraft]
    journal: list[str] = field(default_factory=list)
    fails: BackendError | None = None
    kind = AVATAR_MODEL

    async def observe(self, body: Object) -> AvatarModel:
        self.journal.append("observe")
        return AvatarModel.model_validate(body)

    def decide(self, observation: AvatarModel) -> ModelDraft:
        return self.change(Draft(status=observation.status))

    async def perform(self, observation: AvatarModel, action: str) -> object:
        self.journal.append(f"perform {action}")
        if self.fails is not None:
            raise self.fails
        return f"fact of {action}"

    def fold(self, observation: AvatarModel, draft: ModelDraft, fact: Any) -> ModelDraft:
        if isinstance(fact, ActionFailed):
            self.journal.append(f"fold {fact.reason} of {fact.action}")
            return draft.retry(fact.as_retry()) if fact.retryable else draft
        self.journal.append(f"fold {fact}")
        return draft

    def summarise(self, observation: AvatarModel, draft: ModelDraft) -> ModelDraft:
        return draft

    def observed_status(self, observation: AvatarModel) -> AvatarModelStatus:
        return observation.status

    def log_fields(self, status: AvatarModelStatus) -> dict[str, object]:
        return {}

    def written(self, observation: AvatarModel, status: AvatarModelStatus) -> None:
        self.journal.append("written")


class JournallingTeller:
    """Writes down what it is told in farewell, and around what it is asked to wait."""

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal

    async def farewell(self, body: Object, notice: Notice) -> None:
        self._journal.append(f"farewell {notice.reason}")

    @contextmanager
    def writing(self, kind: Kind, uid: str) -> Iterator[None]:
        self._journal.append("a status is being written")
        yield
        self._journal.append("the status is seen")


class JournallingKube(FakeKubeClient):
    """Writes down what is written."""

    journal: list[str]

    async def apply_status(self, *arguments: Any) -> Object:
        self.journal.append("apply_status")
        return await super().apply_status(*arguments)

    async def set_finalizers(self, *arguments: Any) -> Object:
        self.journal.append("set_finalizers")
        return await super().set_finalizers(*arguments)

    async def delete(self, *arguments: Any) -> None:
        self.journal.append("delete")
        await super().delete(*arguments)


class Bench:
    """One reconciler, one object, one decision."""

    def __init__(self, change: Callable[[ModelDraft], ModelDraft], *, held: bool = True) -> None:
        self.lifecycle = OneDecision(change)
        self.journal = self.lifecycle.journal
        self.clock = FakeClock()
        self.kube = JournallingKube(self.clock)
        self.kube.journal = self.journal
        self.cache = ObjectCache()
        manifest = model_manifest()
        if held:
            manifest["metadata"]["finalizers"] = [FINALIZER]
        self.cache.store(AVATAR_MODEL, self.kube.create(AVATAR_MODEL, manifest))
        teller = JournallingTeller(self.journal)
        troubles = Troubles(self.cache, self.clock)
        self.reconciler = Reconciler(self.lifecycle, self.kube, self.cache, teller, troubles)

    async def reconcile(self) -> Reconciled:
        return await self.reconciler.reconcile(KEY)

    @property
    def stored_status(self) -> object:
        return self.kube.read(AVATAR_MODEL, "ann").get("status")


async def test_a_pass_goes_observe_hold_act_write() -> None:
    bench = Bench(lambda draft: draft.add_finalizer().act("one", "two").with_status(PENDING), held=False)

    assert (await bench.reconcile()).result == "changed"

    assert bench.journal == [
        "observe",
        "set_finalizers",
        "perform one",
        "fold fact of one",
        "perform two",
        "fold fact of two",
        "a status is being written",
        "apply_status",
        "the status is seen",
        "written",
    ]


async def test_an_unchanged_status_is_not_written() -> None:
    bench = Bench(lambda draft: draft.act("one"))

    assert (await bench.reconcile()).result == "unchanged"

    assert "apply_status" not in bench.journal


async def test_the_cache_shows_our_own_write_at_once() -> None:
    bench = Bench(lambda draft: draft.with_status(PENDING))

    await bench.reconcile()

    cached = bench.cache.get(KEY)
    assert cached is not None
    assert cached["status"]["state"] == "Pending"


async def test_a_pass_says_when_to_look_again() -> None:
    bench = Bench(lambda draft: draft.look_again_in(7).retry(Retry("Busy", "", 3)))

    assert await bench.reconcile() == Reconciled("unchanged", requeue_after=7, retrying=Retry("Busy", "", 3))


@pytest.mark.parametrize("edited", [False, True])
async def test_a_pass_says_which_phase_decided_however_it_ends(edited: bool) -> None:
    bench = Bench(lambda draft: replace(draft.with_status(PENDING), decided_by="planning"))
    if edited:
        bench.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    reconciled = await bench.reconcile()

    assert (reconciled.result, reconciled.decided_by) == ("conflict" if edited else "changed", "planning")


async def test_a_status_is_not_written_over_a_newer_version() -> None:
    bench = Bench(lambda draft: draft.with_status(PENDING))
    bench.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    assert await bench.reconcile() == Reconciled("conflict", requeue_after=1.0)

    assert bench.stored_status is None
    assert "written" not in bench.journal


async def test_nothing_is_done_if_the_finalizer_cannot_be_set() -> None:
    bench = Bench(lambda draft: draft.add_finalizer().act("one"), held=False)
    bench.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    assert (await bench.reconcile()).result == "conflict"

    assert "perform one" not in bench.journal


async def test_the_finalizer_joins_those_of_others() -> None:
    bench = Bench(lambda draft: draft.add_finalizer(), held=False)
    body = bench.kube.read(AVATAR_MODEL, "ann")
    theirs = await bench.kube.set_finalizers(AVATAR_MODEL, body, ["example.com/theirs"])
    bench.cache.store(AVATAR_MODEL, theirs)

    await bench.reconcile()

    assert bench.kube.read(AVATAR_MODEL, "ann")["metadata"]["finalizers"] == ["example.com/theirs", FINALIZER]


async def test_an_object_is_let_go_after_its_actions_and_not_written_any_more() -> None:
    bench = Bench(lambda draft: draft.act("clean").with_status(PENDING).remove_finalizer())
    bench.kube.delete_as_user(AVATAR_MODEL, "ann")
    bench.cache.store(AVATAR_MODEL, bench.kube.read(AVATAR_MODEL, "ann"))

    await bench.reconcile()

    assert bench.journal == ["observe", "perform clean", "fold fact of clean", "set_finalizers"]
    assert not bench.kube.exists(AVATAR_MODEL, "ann")
    assert bench.cache.get(KEY) is None


async def test_finalizers_of_others_stay_when_ours_goes() -> None:
    bench = Bench(lambda draft: draft.remove_finalizer())
    body = bench.kube.read(AVATAR_MODEL, "ann")
    both = await bench.kube.set_finalizers(AVATAR_MODEL, body, ["example.com/theirs", FINALIZER])
    bench.cache.store(AVATAR_MODEL, both)

    await bench.reconcile()

    assert bench.kube.read(AVATAR_MODEL, "ann")["metadata"]["finalizers"] == ["example.com/theirs"]


async def test_an_action_that_may_work_later_keeps_the_object_and_what_would_come_after_it() -> None:
    bench = Bench(lambda draft: draft.act("stop", "clean").say_farewell(NEWS).delete().remove_finalizer())
    bench.lifecycle.fails = BackendError("Throttled", "not now", retryable=True, retry_after=5)

    assert await bench.reconcile() == Reconciled("unchanged", retrying=Retry("Throttled", "not now", 5))

    assert bench.journal == ["observe", "perform stop", "fold Throttled of stop"]


async def test_what_a_failure_means_for_the_status_is_written() -> None:
    bench = Bench(lambda draft: draft.act("one").with_status(PENDING))
    bench.lifecycle.fails = BackendError("Throttled", "not now", retryable=True)

    assert (await bench.reconcile()).result == "changed"

    assert bench.stored_status == PENDING.to_wire()


async def test_an_action_that_failed_for_good_does_not_keep_the_others_from_running() -> None:
    bench = Bench(lambda draft: draft.act("one", "two"))
    bench.lifecycle.fails = BackendError("AccessDenied", "no", retryable=False)

    await bench.reconcile()

    assert bench.journal[1:] == [
        "perform one",
        "fold AccessDenied of one",
        "perform two",
        "fold AccessDenied of two",
    ]


async def test_what_was_decided_is_done_in_a_pass_that_has_to_be_repeated_for_another_reason() -> None:
    bench = Bench(lambda draft: draft.act("stop", "clean").with_status(PENDING).retry(Retry("Busy", "")))

    assert await bench.reconcile() == Reconciled("changed", retrying=Retry("Busy", ""))

    assert [line for line in bench.journal if line.startswith("perform")] == ["perform stop", "perform clean"]
    assert bench.stored_status == PENDING.to_wire()


async def test_an_object_can_delete_itself_after_its_farewell() -> None:
    bench = Bench(lambda draft: draft.say_farewell(NEWS).delete())

    reconciled = await bench.reconcile()

    assert bench.journal == ["observe", "farewell News", "delete"]
    assert reconciled == Reconciled("deleted", requeue_after=LATE_WATCH_SECONDS)
    assert "deletionTimestamp" in bench.kube.read(AVATAR_MODEL, "ann")["metadata"]


async def test_for_an_object_that_nobody_knows_nothing_is_done() -> None:
    bench = Bench(lambda draft: draft)
    bench.cache.remove(AVATAR_MODEL, KEY, bench.kube.read(AVATAR_MODEL, "ann")["metadata"]["uid"])

    assert (await bench.reconcile()).result == "gone"

    assert bench.journal == []


async def test_an_object_that_went_during_the_pass_is_dropped_from_the_cache() -> None:
    bench = Bench(lambda draft: draft.with_status(PENDING))
    bench.kube.remove_by_force(AVATAR_MODEL, "ann")

    assert (await bench.reconcile()).result == "gone"

    assert bench.cache.get(KEY) is None


async def test_a_write_whose_answer_is_lost_is_an_error() -> None:
    bench = Bench(lambda draft: draft.with_status(PENDING))
    bench.kube.lose_next_answer("apply_status")

    with pytest.raises(KubeError):
        await bench.reconcile()

    assert "written" not in bench.journal


async def test_after_a_lost_answer_the_cache_cannot_overwrite_what_was_written() -> None:
    bench = Bench(lambda draft: draft.with_status(PENDING))
    bench.kube.lose_next_answer("apply_status")
    with pytest.raises(KubeError):
        await bench.reconcile()

    assert (await bench.reconcile()).result == "conflict"
