"""A keyed, de-duplicating work queue, with the semantics of client-go's.

Watch events, notifications, timers and the sweeper are all just reasons to look at an object again, so all they do is
add its key here:

* a key that waits is there once, however often it is added;
* a key is never handed to two workers at a time: added while it is being worked on, it waits until that ends and is
  then handed out once more, so no hint is ever lost;
* `add_after` is a timer per key: the earliest wins, and work on the key makes it obsolete;
* `add_backed_off` waits exponentially longer with every failure, until `forget`.

(k8s.io/client-go/util/workqueue is the original; the dirty and processing sets are its idea.)

What client-go does not have: keys belong to parties, which take turns (`turns`). Whatever brought a key here, a hint, a
timer, a back-off that is over or the sweep of everything, it waits in its own party's line, and no line is in front of
another.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from avatar_operator.core.turns import Turns

Key = TypeVar("Key", bound=Hashable)
_MAX_DOUBLINGS = 64


class WorkQueue(Generic[Key]):
    """Keys that need attention. Use from one event loop only."""

    def __init__(
        self,
        *,
        party_of: Callable[[Key], Hashable] = lambda _: None,
        base_delay: float = 0.5,
        max_delay: float = 60.0,
    ) -> None:
        """An empty queue.

        Args:
            party_of: whom a key belongs to; all are one party's if this is left out.
            base_delay: seconds that a key waits after its first failure.
            max_delay: seconds that a key waits at most.
        """
        self._party_of = party_of
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._turns: Turns[Hashable, Key] = Turns()
        self._waiting: OrderedDict[Key, float] = OrderedDict()
        """Since when, the oldest first."""
        self._processing: dict[Key, float] = {}
        self._added_meanwhile: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._available = asyncio.Event()
        self._moved = float("-inf")
        self.adds_total = 0
        self.retries_total = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def parties(self) -> int:
        """Of how many parties keys wait."""
        return self._turns.parties()

    def add(self, key: Key) -> None:
        """Hand the key out when its party's turn comes, and not to two workers at a time."""
        if key in self._processing:
            self._added_meanwhile.add(key)
        elif key not in self._waiting:
            self.adds_total += 1
            self._waiting[key] = self._now()
            self._turns.add(self._party_of(key), key)
            self._available.set()

    def add_after(self, key: Key, delay: float) -> None:
        """Add the key in `delay` seconds, unless it is due earlier already."""
        if delay <= 0:
            self.add(key)
            return
        due = asyncio.get_running_loop().time() + delay
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_at(due, self._timer_fired, key)

    def add_backed_off(self, key: Key, *, at_least: float = 0.0) -> float:
        """Add the key after its failures' worth of waiting; the delay in seconds is returned."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.retries_total += 1
        # A key may fail for days; 2.0**1024 is more than a float holds.
        doublings = min(failures, _MAX_DOUBLINGS)
        delay = max(at_least, min(self._base_delay * 2.0**doublings, self._max_delay))
        self.add_after(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """The key's work succeeded: its next failure counts as the first."""
        self._failures.pop(key, None)

    def failures(self, key: Key) -> int:
        """How often the key failed in a row."""
        return self._failures.get(key, 0)

    async def get(self) -> Key:
        """Wait for a key. The worker must call `done` with it, whatever happens."""
        while not self._waiting:
            self._available.clear()
            await self._available.wait()
        _, key = self._turns.take()
        del self._waiting[key]
        self._moved = self._processing[key] = self._now()
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        return key

    def done(self, key: Key) -> None:
        """The worker is through with the key; what was added meanwhile waits again."""
        del self._processing[key]
        self._turns.done(self._party_of(key))
        self._moved = self._now()
        if key in self._added_meanwhile:
            self._added_meanwhile.discard(key)
            self.add(key)

    def oldest_age(self) -> float:
        """Seconds that the key has been waiting which waits longest."""
        for since in self._waiting.values():
            return self._now() - since
        return 0.0

    def stalled_for(self) -> float:
        """Seconds that keys have been waiting while none was handed out or finished; 0 if none waits.

        A long queue that moves has not stalled, however long its last key will wait.
        """
        for since in self._waiting.values():
            return self._now() - max(since, self._moved)
        return 0.0

    def longest_running(self) -> float:
        """Seconds that the slowest piece of work has taken so far."""
        return max((self._now() - since for since in self._processing.values()), default=0.0)

    def _timer_fired(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
