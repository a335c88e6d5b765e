"""Liveness means that nothing moves any more, never that there is much to do; readiness means a complete cache."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.telemetry.health import Health
from builders.virtual_time import VirtualTimeLoop
from builders.world import MODEL_KEY

STUCK, STALE = 600.0, 180.0


class Ward:
    """Queues and watches, and what the probes say of them."""

    def __init__(self) -> None:
        self.queues: dict[Kind, WorkQueue[ObjectKey]] = {kind: WorkQueue() for kind in KINDS}
        self.lags: dict[str, float] = {}
        self.health = Health(self.queues, lambda: self.lags, stuck_seconds=STUCK, stale_watch_seconds=STALE)


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


def test_four_hundred_requests_of_half_a_minute_each_are_healthy_to_the_end() -> None:
    async def story() -> None:
        ward = Ward()
        queue = ward.queues[AVATAR_REQUEST]

        async def draw() -> None:
            while True:
                key = await queue.get()
                await asyncio.sleep(30)
                queue.done(key)

        for number in range(400):
            queue.add(ObjectKey("AvatarRequest", "team-a", str(number)))
        workers = [asyncio.create_task(draw()) for _ in range(4)]
        while len(queue):
            assert ward.health.liveness() == {}
            await asyncio.sleep(10)
        assert asyncio.get_running_loop().time() > 4 * STUCK
        for worker in workers:
            worker.cancel()

    in_virtual_time(story())


def test_a_queue_in_which_nothing_moves_is_not_alive() -> None:
    async def story() -> None:
        ward = Ward()
        ward.queues[AVATAR_MODEL].add(MODEL_KEY)

        await asyncio.sleep(STUCK)
        assert ward.health.liveness() == {}
        await asyncio.sleep(1)

        assert ward.health.liveness() == {
            "queue avatarmodels": "1 keys wait, and none was handed out or finished for 601 s"
        }

    in_virtual_time(story())


def test_a_queue_that_is_empty_is_alive_however_long_its_last_pass_takes() -> None:
    async def story() -> None:
        ward = Ward()
        ward.queues[AVATAR_MODEL].add(MODEL_KEY)
        await ward.queues[AVATAR_MODEL].get()
        await asyncio.sleep(10 * STUCK)

        assert ward.health.liveness() == {}

    in_virtual_time(story())


def test_a_watch_that_every_sweep_finds_behind_is_not_alive() -> None:
    ward = Ward()
    ward.lags = {"avatarmodels": STALE, "avatarruntimes": STALE + 1}

    assert list(ward.health.liveness()) == ["watch avatarruntimes"]


def test_a_replica_is_ready_once_every_kind_has_been_listed() -> None:
    ward = Ward()
    assert ward.health.readiness() == {"cache": "the first list is not complete"}

    ward.health.note_listed()

    assert ward.health.readiness() == {}
