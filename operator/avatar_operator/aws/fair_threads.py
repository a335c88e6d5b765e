"""Threads that tenants take turns on.

An executor's own queue is first come, first served, and one pass may bring a call for each of 64 pictures. So no more calls
are handed to the threads than there are threads, and who is next is decided here (`core.turns`), by the tenant on whose
behalf a call is made.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from avatar_operator.core.tenant import current_tenant
from avatar_operator.core.turns import Turns

T = TypeVar("T")


class FairThreads:
    """Some threads. Use from one event loop only.

    Args:
        count: how many.
        name: what their names begin with.
    """

    def __init__(self, count: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._free = count
        self._turns: Turns[str, asyncio.Future[None]] = Turns()

    async def run(self, work: Callable[[], T]) -> T:
        """Run work in a thread, when the present tenant's turn comes. Raises what the work raises.

        Whoever is cancelled meanwhile leaves the thread at its work; it is free again when that ends. If it fails then,
        nobody is told: whoever asked has gone.
        """
        tenant = current_tenant()
        await self._turn(tenant)
        try:
            call = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except RuntimeError:
            # The threads were closed in between.
            self._ended(tenant)
            raise
        call.add_done_callback(lambda call: self._call_ended(tenant, call))
        return await asyncio.shield(call)

    def close(self) -> None:
        """Start nothing more. Work under way goes on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for turn in self._turns:
            turn.cancel()

    async def _turn(self, tenant: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._turns.add(tenant, turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It was given a thread and cancelled in the same instant.
                self._ended(tenant)
            raise

    def _hand_out(self) -> None:
        while self._free and len(self._turns):
            tenant, turn = self._turns.take()
            if turn.cancelled():
                self._turns.done(tenant)
            else:
                self._free -= 1
                turn.set_result(None)

    def _call_ended(self, tenant: str, call: asyncio.Future[T]) -> None:
        if not call.cancelled():
            # asyncio logs an error that nobody has asked for, and of whoever was cancelled nobody asks.
            call.exception()
        self._ended(tenant)

    def _ended(self, tenant: str) -> None:
        self._free += 1
        self._turns.done(tenant)
        self._hand_out()
