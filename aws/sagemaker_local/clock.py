"""Time that can run faster, and one thread that waits for all of it.

AWS's clocks are long: a queued request lives up to six hours, a model may load for six minutes. Tests cannot wait for that,
so every AWS time-out is asked of a `Clock`, whose speed can be changed while the server runs. Only waits that begin
afterwards are affected: a wait is a number of real seconds from the moment it starts.

`Scheduler` holds everything that happens later (queue expiry, delayed notifications) in one heap behind one sleeping
thread, so that a thousand queued requests cost no thread each and an idle server costs nothing.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

logger = logging.getLogger(__name__)

MAX_SPEED = 100_000.0


class Clock:
    """Turns AWS seconds into real seconds.

    Arguments:
        speed: how many AWS seconds pass in one real second.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if not 0 < value <= MAX_SPEED:
            raise ValueError(f"the clock's speed must be above 0 and at most {MAX_SPEED:g}, not {value!r}")
        self._speed = float(value)

    def real(self, aws_seconds: float) -> float:
        """How many real seconds to wait for `aws_seconds`."""
        return aws_seconds / self._speed

    @staticmethod
    def now() -> datetime:
        """The present, in UTC. Timestamps are real: only waits are shortened."""
        return datetime.now(UTC)


class Scheduled:
    """Something that will happen; `cancel` makes it not happen."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self._action = None

    def run(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class Scheduler:
    """Runs short actions later, on one daemon thread. An action that blocks delays all others."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Scheduled]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def after(self, seconds: float, action: Callable[[], None]) -> Scheduled:
        """Run `action` once, `seconds` of real time from now."""
        scheduled = Scheduled(action)
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), scheduled))
            self._changed.notify()
        return scheduled

    def close(self) -> None:
        """Forget what has not happened yet."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._heap or self._heap[0][0] > time.monotonic()):
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
                if self._closed:
                    return
                scheduled = heapq.heappop(self._heap)[2]
            try:
                scheduled.run()
            except Exception:
                logger.exception("a scheduled action failed")
