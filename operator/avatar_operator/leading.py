"""What one replica does at a time: standing by, leading, and handing over.

    stand by ──takes the Lease──> catch up ──> work ──SIGTERM──> drain ──> release the Lease
                                                 └──Lease lost──> the process ends

Whoever takes the Lease lists everything once more before it decides anything: its own watch may be a moment behind the
last writes of the former leader, and an attempt that was submitted in that moment would look abandoned.

Handing over takes as long as the passes under way, and no longer than a bound. Their locks are those of every crash
(decisions/0001), so whatever the bound cuts off is only repeated, never doubled.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from avatar_operator.core.running import run_beside
from avatar_operator.kube.election import Elector
from avatar_operator.reconciling.workers import ReconcileWorkers

logger = structlog.get_logger(__name__)
LAST_WORDS_SECONDS = 2.0


class Leading:
    """One replica's life, from its first list to its end.

    Args:
        elector: takes, holds and releases the Lease.
        catch_up: makes the cache show what the API server holds.
        begin: called once with what the former leader left, when the cache is true.
        workers: reconcile while this replica leads.
        hints: makes what brings hints while this replica leads; the first to stop.
        deliveries: makes what tells news while this replica leads; the last to stop.
        last_words: tells what can be told at once, before it stops; the rest is the next leader's.
        collection: makes what looks for orphans while this replica leads.
        drain_seconds: how long passes under way may take to end.
    """

    def __init__(
        self,
        elector: Elector,
        *,
        catch_up: Callable[[], Awaitable[None]],
        begin: Callable[[Mapping[str, str]], Awaitable[None]],
        workers: Sequence[ReconcileWorkers],
        hints: Callable[[], Coroutine[Any, Any, None]],
        deliveries: Callable[[], Coroutine[Any, Any, None]],
        collection: Callable[[], Coroutine[Any, Any, None]],
        last_words: Callable[[], Coroutine[Any, Any, None]],
        drain_seconds: float,
    ) -> None:
        self._elector = elector
        self._catch_up = catch_up
        self._begin = begin
        self._workers = workers
        self._hints = hints
        self._deliveries = deliveries
        self._last_words = last_words
        self._collection = collection
        self._drain_seconds = drain_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, lead, and hand over once `stop` is set.

        Raises:
            StartUpError: the Lease cannot be used, or was lost.
            KubeError: the API server did not answer when this replica came to lead.
        """
        left = await self._elector.acquire(stop)
        if left is not None and not stop.is_set():
            await run_beside(self._lead(stop, left), {"the renewal of the lease": self._elector.hold()})
        await self._elector.release()

    async def _lead(self, stop: asyncio.Event, left: Mapping[str, str]) -> None:
        await self._catch_up()
        await self._begin(left)
        # From here on statuses are written. If this replica dies, the next one must be able to tell them from older ones.
        await self._elector.hand_on()
        workers = {f"workers {number}": workers.run() for number, workers in enumerate(self._workers)}
        await run_beside(self._work(stop), {**workers, "deliveries": self._deliveries()})

    async def _work(self, stop: asyncio.Event) -> None:
        await run_beside(_wait(stop), {"hints": self._hints(), "collection": self._collection()})
        logger.info("handing over: passes under way may end", seconds=self._drain_seconds)
        drained = asyncio.gather(*(workers.drain() for workers in self._workers))
        try:
            await asyncio.wait_for(drained, self._drain_seconds)
        except TimeoutError:
            logger.warning("passes under way are cut off", seconds=self._drain_seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._last_words(), LAST_WORDS_SECONDS)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
