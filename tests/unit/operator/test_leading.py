"""A replica's life: nothing is done before the cache is true, passes under way end, and the Lease goes last."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.errors import StartUpError
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.election import Elector
from avatar_operator.kube.leadership import LeadershipLostError
from avatar_operator.leading import Leading
from avatar_operator.reconciling.reconciler import Reconciled
from avatar_operator.reconciling.workers import ReconcileWorkers
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders.virtual_time import VirtualTimeLoop
from builders.world import MODEL_KEY

PASS_SECONDS = 10.0
DRAIN_SECONDS = 25.0
BOB = ObjectKey("AvatarModel", "team-a", "bob")


class Office:
    """A replica, and what it does in the order in which it does it."""

    kind = AVATAR_MODEL

    def __init__(self, *, pass_seconds: float = PASS_SECONDS) -> None:
        self.journal: list[str] = []
        self.stop = asyncio.Event()
        self.free = asyncio.Event()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.queue: WorkQueue[ObjectKey] = WorkQueue()
        self._pass_seconds = pass_seconds
        workers = ReconcileWorkers(cast(Any, self), self.queue, OperatorMetrics(CollectorRegistry()), count=1)
        self.leading = Leading(
            cast(Elector, self),
            catch_up=self._catch_up,
            begin=self._begin,
            workers=[workers],
            hints=lambda: self._part("hints"),
            deliveries=lambda: self._part("deliveries"),
            last_words=self._last_words,
            collection=lambda: self._part("collection"),
            drain_seconds=DRAIN_SECONDS,
        )

    # The elector.

    async def acquire(self, stop: asyncio.Event) -> Mapping[str, str] | None:
        waits = [asyncio.create_task(event.wait()) for event in (self.free, stop)]
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        if not self.free.is_set():
            return None
        self.journal.append("lease taken")
        return {"left": "behind"}

    async def hold(self) -> None:
        await self.lost

    async def hand_on(self) -> None:
        self.journal.append("cursor handed on")

    async def release(self) -> None:
        self.journal.append("lease released")

    # The reconciler.

    async def reconcile(self, key: ObjectKey) -> Reconciled:
        self.journal.append(f"pass over {key.name}")
        await asyncio.sleep(self._pass_seconds)
        self.journal.append(f"end of the pass over {key.name}")
        return Reconciled("unchanged")

    # The rest.

    async def _catch_up(self) -> None:
        self.journal.append("caught up")

    async def _begin(self, left: Mapping[str, str]) -> None:
        self.journal.append(f"begun with {left['left']}")
        self.queue.add(MODEL_KEY)

    async def _last_words(self) -> None:
        self.journal.append("last words")

    async def _part(self, name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.journal.append(f"{name} end")


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


def test_nothing_is_done_by_a_replica_that_stands_by() -> None:
    async def story() -> None:
        office = Office()
        office.queue.add(MODEL_KEY)
        running = asyncio.create_task(office.leading.run(office.stop))
        await asyncio.sleep(1000)
        assert office.journal == []

        office.stop.set()
        await running

        assert office.journal == ["lease released"]

    in_virtual_time(story())


def test_a_replica_that_was_stopped_while_it_took_the_lease_begins_nothing_and_releases_it() -> None:
    async def story() -> None:
        office = Office()
        office.free.set()
        office.stop.set()

        await office.leading.run(office.stop)

        assert office.journal == ["lease taken", "lease released"]

    in_virtual_time(story())


def test_a_new_leader_catches_up_before_it_decides_and_hands_over_last() -> None:
    async def story() -> None:
        office = Office()
        office.free.set()
        running = asyncio.create_task(office.leading.run(office.stop))
        await asyncio.sleep(1)
        office.queue.add(BOB)
        office.stop.set()
        await running

        assert office.journal == [
            "lease taken",
            "caught up",
            "begun with behind",
            "cursor handed on",
            "pass over ann",
            "hints end",
            "collection end",
            "end of the pass over ann",
            "last words",
            "deliveries end",
            "lease released",
        ]
        assert asyncio.get_running_loop().time() == PASS_SECONDS

    in_virtual_time(story())


def test_a_pass_that_does_not_end_is_cut_off_after_a_while() -> None:
    async def story() -> None:
        office = Office(pass_seconds=3600)
        office.free.set()
        running = asyncio.create_task(office.leading.run(office.stop))
        await asyncio.sleep(1)
        office.stop.set()
        await running

        assert asyncio.get_running_loop().time() == 1 + DRAIN_SECONDS
        assert "end of the pass over ann" not in office.journal
        assert office.journal[-1] == "lease released"

    in_virtual_time(story())


def test_a_replica_that_loses_the_lease_ends_without_waiting_and_releases_nothing() -> None:
    async def story() -> None:
        office = Office()
        office.free.set()
        running = asyncio.create_task(office.leading.run(office.stop))
        await asyncio.sleep(1)
        office.lost.set_exception(LeadershipLostError("somebody else leads"))

        with pytest.raises(StartUpError, match="somebody else leads"):
            await running

        assert asyncio.get_running_loop().time() == 1
        assert "lease released" not in office.journal
        assert "end of the pass over ann" not in office.journal

    in_virtual_time(story())


def test_an_idle_leader_hands_over_at_once() -> None:
    async def story() -> None:
        office = Office(pass_seconds=0)
        office.free.set()
        running = asyncio.create_task(office.leading.run(office.stop))
        await asyncio.sleep(5)
        office.stop.set()
        await running

        assert asyncio.get_running_loop().time() == 5
        assert office.journal[-1] == "lease released"

    in_virtual_time(story())
