"""An event loop whose time is the test's: when nothing is left to do, it jumps to the next timer.

So a test of a minute's back-off takes no time, and what it sees does not depend on how busy the machine is. A test that would
never end fails: where everything waits for nothing, and where something is done again and again and time stands still.
"""

import asyncio
import selectors
from collections.abc import Mapping
from selectors import SelectorKey
from typing import Any

MOST_TURNS_OF_AN_INSTANT = 50_000


class _JumpingSelector(selectors.BaseSelector):
    """Waits for nothing: a wait of the loop for its next timer becomes a jump of its time."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.waited = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits and no timer is set: the test would never end")
        if not ready and timeout is not None and timeout > 0:
            self.waited += timeout
            self._turns = 0
        self._turns += 1
        if self._turns > MOST_TURNS_OF_AN_INSTANT:
            raise RuntimeError(f"time stands still at {self.waited:.1f} s: the test would never end")
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which starts at zero."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.waited
