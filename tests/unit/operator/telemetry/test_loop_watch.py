"""How long the event loop stands is seen from outside it, and how long it paused from within."""

import asyncio

from prometheus_client import CollectorRegistry

from avatar_operator.telemetry.loop_watch import BEAT_SECONDS, LoopWatch
from builders.virtual_time import VirtualTimeLoop


class Seconds:
    """A clock of the test's own."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_loop_that_stands_has_not_turned_since() -> None:
    seconds = Seconds()
    watch = LoopWatch(CollectorRegistry(), monotonic=seconds)
    beating = asyncio.create_task(watch.run())
    seconds.now += 5
    await asyncio.sleep(0)
    assert watch.standing_for() == 0

    seconds.now += 40

    assert watch.standing_for() == 40
    beating.cancel()


def test_a_beat_that_comes_late_is_a_pause_and_the_longest_is_remembered() -> None:
    seconds, registry = Seconds(), CollectorRegistry()

    async def story() -> None:
        beating = asyncio.create_task(LoopWatch(registry, monotonic=seconds).run())
        await asyncio.sleep(0)
        seconds.now += BEAT_SECONDS + 0.3
        await asyncio.sleep(1.5 * BEAT_SECONDS)
        seconds.now += BEAT_SECONDS + 0.1
        await asyncio.sleep(BEAT_SECONDS)
        beating.cancel()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())

    longest = registry.get_sample_value("avatar_event_loop_longest_pause_seconds")
    assert longest is not None
    assert round(longest, 6) == 0.3
    assert registry.get_sample_value("avatar_event_loop_pause_seconds_bucket", {"le": "0.2"}) == 1
    assert registry.get_sample_value("avatar_event_loop_pause_seconds_bucket", {"le": "0.5"}) == 2
