"""Does the event loop turn, and how long does it pause?

A beat in the loop comes twenty times a second; how late it comes is how long the loop was held. Whether the loop stands
cannot be seen from inside it, so `standing_for` is there for another thread to ask.
"""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, Histogram

BEAT_SECONDS = 0.05
_PAUSE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15)


class LoopWatch:
    """Watches the event loop that runs it.

    Args:
        registry: where pauses are published.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(
        self, registry: CollectorRegistry, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._turned_at = monotonic()
        self._pauses = Histogram(
            "avatar_event_loop_pause_seconds",
            "Seconds by which the event loop's beat came late, twenty times a second.",
            registry=registry,
            buckets=_PAUSE_BUCKETS,
        )
        self._longest = Gauge(
            "avatar_event_loop_longest_pause_seconds",
            "Seconds of the longest pause of the event loop since the process started.",
            registry=registry,
        )
        self._longest_seconds = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._turned_at = self._monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._note_pause(max(0.0, self.standing_for() - BEAT_SECONDS))

    def standing_for(self) -> float:
        """Seconds since the loop last turned, to be asked by another thread; at most a beat if all is well."""
        return self._monotonic() - self._turned_at

    def _note_pause(self, seconds: float) -> None:
        self._pauses.observe(seconds)
        if seconds > self._longest_seconds:
            self._longest_seconds = seconds
            self._longest.set(seconds)
