"""The one reconcile loop: what happens in which order, and what happens when somebody was faster."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.group import AVATAR_MODEL, FINALIZER
from avatar_operator.core.decision import Draft, Notice
from avatar_operator.core.errors import RetryLaterError
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.reconciling.reconciler import Reconciled, Reconciler
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
    fails: Exception | None = None
    kind = AVATAR_MODEL

    async def observe(self, body: Object) -> AvatarModel:
        self.journal.append("observe")
        return AvatarModel.model_validate(body)

    def decide(self, observation: AvatarModel) -> ModelDraft:
        return self.change(Draft(status=observation.status))

    async def act(self, observation: AvatarModel, draft: ModelDraft) -> ModelDraft:
        self.journal.extend(f"act {action}" for action in draft.actions)
        if self.fails is not None:
            raise self.fails
        return draft

    def summarise(self, observation: AvatarModel, draft: ModelDraft) -> ModelDraft:
        return draft

    def observed_status(self, observation: AvatarModel) -> AvatarModelStatus:
        return observation.status

    def occasion(self, status: AvatarModelStatus) -> str:
        return str(status.state)

    def written(self, observation: AvatarModel, status: AvatarModelStatus) -> None:
        self.journal.append("written")

    def forget(self, key: ObjectKey) -> None:
        self.journal.append("forget")


class JournallingTeller:
    """Writes down when it is told something."""

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal

    async def tell(self, body: Object, notice: Notice, *, occasion: str) -> None:
        self._journal.append(f"tell {notice.reason} on {occasion}")


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
        self.kube = JournallingKube(FakeClock())
        self.kube.journal = self.journal
        self.cache = ObjectCache()
        manifest = model_manifest()
        if held:
            manifest["metadata"]["finalizers"] = [FINALIZER]
        self.cache.store(AVATAR_MODEL, self.kube.create(AVATAR_MODEL, manifest))
        teller = JournallingTeller(self.journal)
        self.reconciler = Reconciler(self.lifecycle, self.kube, self.cache, teller)

    async def reconcile(self) -> Reconciled:
        return await self.reconciler.reconcile(KEY)

    @property
    def stored_status(self) -> object:
        return self.kube.read(AVATAR_MODEL, "ann").get("status")


async def test_a_pass_goes_observe_hold_act_tell_write() -> None:
    bench = Bench(
        lambda draft: draft.add_finalizer().act("one", "two").tell(NEWS).with_status(PENDING), held=False
    )

    assert (await bench.reconcile()).result == "changed"

    assert bench.journal == [
        "observe",
        "set_finalizers",
        "act one",
        "act two",
        "tell News on Pending",
        "apply_status",
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
    bench = Bench(lambda draft: draft.look_again_in(7).retry(at_least=3))

    assert await bench.reconcile() == Reconciled("unchanged", requeue_after=7, retry_at_least=3)


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

    assert "act one" not in bench.journal


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

    assert bench.journal == ["observe", "act clean", "set_finalizers"]
    assert not bench.kube.exists(AVATAR_MODEL, "ann")
    assert bench.cache.get(KEY) is None


async def test_finalizers_of_others_stay_when_ours_goes() -> None:
    bench = Bench(lambda draft: draft.remove_finalizer())
    body = bench.kube.read(AVATAR_MODEL, "ann")
    both = await bench.kube.set_finalizers(AVATAR_MODEL, body, ["example.com/theirs", FINALIZER])
    bench.cache.store(AVATAR_MODEL, both)

    await bench.reconcile()

    assert bench.kube.read(AVATAR_MODEL, "ann")["metadata"]["finalizers"] == ["example.com/theirs"]


async def test_actions_that_must_wait_leave_everything_as_it_is() -> None:
    bench = Bench(lambda draft: draft.act("clean").tell(NEWS).remove_finalizer())
    bench.lifecycle.fails = RetryLaterError("not now", at_least=5)

    with pytest.raises(RetryLaterError):
        await bench.reconcile()

    assert bench.journal == ["observe", "act clean"]


async def test_an_object_can_delete_itself() -> None:
    bench = Bench(lambda draft: draft.tell(NEWS).delete())

    await bench.reconcile()

    assert bench.journal == ["observe", "tell News on None", "delete"]
    assert "deletionTimestamp" in bench.kube.read(AVATAR_MODEL, "ann")["metadata"]


async def test_an_object_that_nobody_knows_is_forgotten() -> None:
    bench = Bench(lambda draft: draft)
    bench.cache.remove(AVATAR_MODEL, KEY, bench.kube.read(AVATAR_MODEL, "ann")["metadata"]["uid"])

    assert (await bench.reconcile()).result == "gone"

    assert bench.journal == ["forget"]


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
