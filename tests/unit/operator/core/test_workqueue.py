"""The work queue's promises, one by one, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from avatar_operator.core.workqueue import WorkQueue
from builders.virtual_time import VirtualTimeLoop


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


def test_keys_come_out_in_the_order_they_went_in() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "c"):
            queue.add(key)

        assert [await queue.get() for _ in range(3)] == ["a", "b", "c"]

    in_virtual_time(story())


def test_parties_take_turns_however_their_keys_came_here() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(party_of=lambda key: key[0], base_delay=1.0)
        for number in range(5):
            queue.add(f"a{number}")
        queue.add_backed_off("b-failed")
        queue.add_after("c-timer", 1.0)
        await asyncio.sleep(2.0)

        keys = []
        while len(queue):
            keys.append(await queue.get())
            queue.done(keys[-1])
        assert keys == ["a0", "b-failed", "c-timer", "a1", "a2", "a3", "a4"]

    in_virtual_time(story())


def test_a_key_that_is_added_while_it_is_worked_on_lets_the_others_go_first() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(party_of=lambda key: key[0])
        queue.add("a1")
        key = await queue.get()
        for other in ("b1", "b2", "a1"):
            queue.add(other)
        queue.done(key)

        assert [await queue.get() for _ in range(3)] == ["b1", "a1", "b2"]
        assert queue.parties() == 0

    in_virtual_time(story())


def test_a_key_that_waits_is_there_once() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        queue.add("a")

        assert len(queue) == 1
        assert queue.adds_total == 1

    in_virtual_time(story())


def test_a_key_that_is_worked_on_is_not_handed_out_again() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add("a")

        assert len(queue) == 0

    in_virtual_time(story())


def test_a_key_added_while_it_is_worked_on_comes_once_more_afterwards() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add("a")
        queue.add("a")
        queue.done("a")

        assert await queue.get() == "a"
        queue.done("a")
        assert len(queue) == 0

    in_virtual_time(story())


def test_a_worker_that_waits_gets_a_key_that_is_added() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        worker = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")

        assert await worker == "a"

    in_virtual_time(story())


def test_every_key_finds_a_worker_when_several_wait() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        for key in ("a", "b", "c"):
            queue.add(key)

        assert sorted(await asyncio.gather(*workers)) == ["a", "b", "c"]

    in_virtual_time(story())


def test_a_worker_that_is_cancelled_takes_no_key_with_it() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        worker = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        worker.cancel()
        await asyncio.wait([worker])

        assert worker.cancelled()
        assert await queue.get() == "a"

    in_virtual_time(story())


def test_a_delayed_key_comes_when_it_is_due() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 30.0)

        assert await queue.get() == "a"
        assert asyncio.get_running_loop().time() == pytest.approx(30.0)

    in_virtual_time(story())


@pytest.mark.parametrize("delays", [(10.0, 60.0), (60.0, 10.0)])
def test_the_earliest_of_several_delays_wins(delays: tuple[float, float]) -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for delay in delays:
            queue.add_after("a", delay)

        await queue.get()
        assert asyncio.get_running_loop().time() == pytest.approx(10.0)

    in_virtual_time(story())


def test_no_delay_means_at_once() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 0.0)

        assert len(queue) == 1

    in_virtual_time(story())


def test_work_on_a_key_makes_its_timer_obsolete() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 10.0)
        queue.add("a")
        await queue.get()
        queue.done("a")
        await asyncio.sleep(20.0)

        assert len(queue) == 0

    in_virtual_time(story())


def test_a_timer_set_during_the_work_stays() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add_after("a", 10.0)
        queue.done("a")

        assert await queue.get() == "a"
        assert asyncio.get_running_loop().time() == pytest.approx(10.0)

    in_virtual_time(story())


def test_a_timer_that_fires_during_the_work_waits_for_its_end() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        queue.add_after("a", 10.0)
        await asyncio.sleep(20.0)
        assert len(queue) == 0
        queue.done("a")

        assert len(queue) == 1

    in_virtual_time(story())


def test_a_failing_key_waits_twice_as_long_each_time_up_to_the_limit() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(base_delay=0.5, max_delay=3.0)

        assert [queue.add_backed_off("a") for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]

    in_virtual_time(story())


def test_a_backend_that_asks_for_a_longer_wait_gets_it() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(base_delay=0.5)

        assert queue.add_backed_off("a", at_least=20.0) == 20.0

    in_virtual_time(story())


def test_a_success_makes_the_next_failure_the_first() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(base_delay=0.5)
        queue.add_backed_off("a")
        queue.add_backed_off("a")
        queue.forget("a")

        assert queue.failures("a") == 0
        assert queue.add_backed_off("a") == 0.5

    in_virtual_time(story())


def test_a_key_that_has_failed_for_days_still_waits_no_longer_than_the_limit() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue(base_delay=0.5, max_delay=60.0)
        delays = [queue.add_backed_off("a") for _ in range(5000)]

        assert delays[-1] == 60.0

    in_virtual_time(story())


def test_the_age_is_that_of_the_key_which_waits_longest() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        assert queue.oldest_age() == 0.0
        queue.add("a")
        await asyncio.sleep(5.0)
        queue.add("b")

        assert queue.oldest_age() == pytest.approx(5.0)

    in_virtual_time(story())


def test_the_slowest_piece_of_work_is_known() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        await asyncio.sleep(7.0)
        assert queue.longest_running() == pytest.approx(7.0)
        queue.done("a")

        assert queue.longest_running() == 0.0

    in_virtual_time(story())


def test_four_hundred_keys_of_thirty_seconds_each_never_stall_a_queue() -> None:
    async def story() -> None:
        queue: WorkQueue[int] = WorkQueue()

        async def work() -> None:
            while True:
                key = await queue.get()
                await asyncio.sleep(30)
                queue.done(key)

        for key in range(400):
            queue.add(key)
        workers = [asyncio.create_task(work()) for _ in range(4)]
        longest_wait, longest_stall = 0.0, 0.0
        while len(queue):
            await asyncio.sleep(1)
            longest_wait = max(longest_wait, queue.oldest_age())
            longest_stall = max(longest_stall, queue.stalled_for())
        for worker in workers:
            worker.cancel()

        assert longest_wait > 2900
        assert longest_stall <= 30

    in_virtual_time(story())


def test_a_queue_whose_workers_all_hang_stalls() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("hangs")
        await queue.get()
        await asyncio.sleep(100)
        queue.add("waits")
        await asyncio.sleep(50)

        assert queue.stalled_for() == 50

    in_virtual_time(story())


def test_a_queue_that_finishes_something_has_not_stalled() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("hangs")
        await queue.get()
        queue.add("waits")
        await asyncio.sleep(50)
        queue.done("hangs")
        await asyncio.sleep(7)

        assert queue.stalled_for() == 7

    in_virtual_time(story())


def test_a_queue_that_waits_for_nothing_has_not_stalled() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("hangs")
        await queue.get()
        await asyncio.sleep(1000)

        assert queue.stalled_for() == 0

    in_virtual_time(story())


def test_a_queue_that_hands_something_out_has_not_stalled() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("first")
        queue.add("second")
        await asyncio.sleep(50)
        await queue.get()
        await asyncio.sleep(7)

        assert queue.stalled_for() == 7

    in_virtual_time(story())
