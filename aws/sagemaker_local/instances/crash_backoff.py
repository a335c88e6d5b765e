"""How long to wait before an instance that ended is replaced.

A container that cannot live would otherwise be started as fast as the machine can; one that did work and then died deserves its
replacement at once, however many before it died. AWS publishes no figures for this.
"""

from __future__ import annotations

MAX_SECONDS = 30.0
STABLE_SECONDS = 60.0


class CrashBackoff:
    """The crashes in a row of one fleet's containers that came to nothing."""

    def __init__(self) -> None:
        self._fruitless = 0

    def crashed(self, served_seconds: float, answered: bool) -> None:
        """A container ended without having been asked to.

        Arguments:
            served_seconds: how long it had been in service; 0 if it never was.
            answered: whether it had answered a request, pings apart.
        """
        if answered or served_seconds > STABLE_SECONDS:
            self._fruitless = 0
        self._fruitless += 1

    def delay(self) -> float:
        """Real seconds before the next start: none after the first crash, then 1, 3, 7, 15, 30."""
        return min(2.0 ** min(max(self._fruitless - 1, 0), 10) - 1, MAX_SECONDS)
