"""Threads that tenants take turns on, and that nobody can lose."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest

from avatar_operator.aws.fair_threads import FairThreads
from avatar_operator.core.tenant import PLATFORM, current_tenant, on_behalf_of

PATIENCE_SECONDS = 30.0


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    """One thread."""
    threads = FairThreads(1, "test")
    yield threads
    threads.close()


class Held:
    """Work that goes on until it is released."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.released.wait(PATIENCE_SECONDS)


async def let_everything_queue() -> None:
    """Give tasks that were just made the turns of the loop in which they get in line."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_call_of_a_tenant_does_not_wait_for_sixty_four_of_another(threads: FairThreads) -> None:
    done: list[str] = []
    held = Held()

    def call(namespace: str) -> asyncio.Task[None]:
        with on_behalf_of(namespace):
            return asyncio.create_task(threads.run(lambda: done.append(namespace)))

    with on_behalf_of("team-a"):
        first = asyncio.create_task(threads.run(held))
    calls = [call("team-a") for _ in range(64)]
    await let_everything_queue()
    calls.append(call("team-b"))
    await let_everything_queue()
    held.released.set()
    await asyncio.gather(first, *calls)

    assert done == ["team-b", *["team-a"] * 64]


async def test_no_more_runs_at_once_than_there_are_threads_and_no_less() -> None:
    threads, meeting = FairThreads(3, "test"), threading.Barrier(3)
    under_way, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        meeting.wait(PATIENCE_SECONDS)
        with lock:
            under_way -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(9)))
    threads.close()

    assert most == 3


async def test_work_gives_its_result_or_raises_what_it_raised(threads: FairThreads) -> None:
    assert await threads.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(lambda: 8) == 8


async def test_who_is_cancelled_in_line_takes_no_thread_with_him(threads: FairThreads) -> None:
    held = Held()
    first = asyncio.create_task(threads.run(held))
    await let_everything_queue()
    cancelled = asyncio.create_task(threads.run(lambda: "never"))
    last = asyncio.create_task(threads.run(lambda: "done"))
    await let_everything_queue()
    cancelled.cancel()
    await let_everything_queue()
    held.released.set()

    assert await last == "done"
    await first
    assert cancelled.cancelled()


async def test_a_thread_whose_caller_was_cancelled_is_not_free_before_its_work_ends(
    threads: FairThreads,
) -> None:
    held = Held()
    caller = asyncio.create_task(threads.run(held))
    await let_everything_queue()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    next_one = asyncio.create_task(threads.run(lambda: "next"))
    await let_everything_queue()
    assert held.begun.wait(PATIENCE_SECONDS)
    assert not next_one.done()
    held.released.set()

    assert await next_one == "next"


async def test_who_is_given_a_thread_and_cancelled_in_the_same_instant_gives_it_back(
    threads: FairThreads,
) -> None:
    held = Held()
    first = asyncio.create_task(threads.run(held))
    await let_everything_queue()
    cancelled = asyncio.create_task(threads.run(lambda: "never"))
    await let_everything_queue()
    held.released.set()
    while len(threads._turns):  # noqa: ASYNC110  # it is this very instant that is wanted
        await asyncio.sleep(0)
    cancelled.cancel()
    assert isinstance((await asyncio.gather(first, cancelled, return_exceptions=True))[1], BaseException)

    assert await threads.run(lambda: "free") == "free"


async def test_closed_threads_start_nothing_more(threads: FairThreads) -> None:
    held = Held()
    under_way = asyncio.create_task(threads.run(held))
    await let_everything_queue()
    in_line = asyncio.create_task(threads.run(lambda: "never"))
    await let_everything_queue()
    threads.close()
    held.released.set()

    await under_way
    with pytest.raises(asyncio.CancelledError):
        await in_line
    with pytest.raises(RuntimeError):
        await threads.run(lambda: "never")


async def test_whoever_works_for_nobody_works_for_the_platform() -> None:
    assert current_tenant() == PLATFORM
    with on_behalf_of("team-a"):
        assert await asyncio.create_task(_tenant()) == "team-a"
    assert current_tenant() == PLATFORM


async def _tenant() -> str:
    return current_tenant()


async def test_what_fails_after_who_asked_was_cancelled_is_nobodys_and_logged_as_no_defect(
    threads: FairThreads,
) -> None:
    held, complaints = Held(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    def fails_late() -> None:
        held()
        raise ZeroDivisionError

    asked = asyncio.create_task(threads.run(fails_late))
    await asyncio.to_thread(held.begun.wait, PATIENCE_SECONDS)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    held.released.set()
    # The one thread is free again only when the call that failed has ended.
    assert await threads.run(lambda: 7) == 7
    del asked
    gc.collect()

    assert complaints == []
