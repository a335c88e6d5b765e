"""May this process act? Everything that has an effect asks here first.

A process can be held anywhere for any time: by SIGSTOP, by a machine that sleeps, by an event loop that stands. When it
wakes, it is in the middle of whatever it was doing, and another process may have been leading for long. So leading is
no flag that somebody has to take down in time. It is an age: that of the last renewal, measured when it is asked for.

The age is counted from before the renewal was sent, on a clock that goes on while the machine sleeps (CLOCK_BOOTTIME;
CLOCK_MONOTONIC stands still then, and would let a holder that has slept for an hour go on). The limit is two thirds of
the lease, so that there is a third between the last effect here and the first effect there.
"""

import time
from collections.abc import Callable

from avatar_operator.errors import StartUpError

DEADLINE_SHARE = 2 / 3
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_awake_or_asleep() -> float:
    """Seconds on a clock that never goes back, and goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


class LeadershipLostError(StartUpError):
    """This process must not act: it does not lead, or cannot know whether it still does."""


class Leadership:
    """Whether this process leads, at this very moment. May be asked by any thread.

    Args:
        lease_seconds: for how long a renewal keeps others away.
        now: seconds on a clock that never stops.
    """

    def __init__(self, lease_seconds: float, *, now: Callable[[], float] = seconds_awake_or_asleep) -> None:
        self._deadline_seconds = lease_seconds * DEADLINE_SHARE
        self._renewed_at: float | None = None
        self.now = now

    def note_renewed(self, sent_at: float) -> None:
        """The Lease was taken or renewed, by a request that was sent then."""
        self._renewed_at = sent_at

    def let_go(self) -> None:
        """Lead no more."""
        self._renewed_at = None

    def seconds_left(self) -> float:
        """Seconds for which this process may still act; 0 or less if it may not."""
        renewed_at = self._renewed_at
        return 0.0 if renewed_at is None else renewed_at + self._deadline_seconds - self.now()

    def leads(self) -> bool:
        """Whether this process may act."""
        return self.seconds_left() > 0

    def check(self) -> None:
        """Go on only if this process may act.

        Raises:
            LeadershipLostError: it may not.
        """
        renewed_at = self._renewed_at
        if renewed_at is None:
            raise LeadershipLostError("this replica does not lead")
        age = self.now() - renewed_at
        if age >= self._deadline_seconds:
            raise LeadershipLostError(
                f"the lease was last renewed {age:.0f} s ago: another replica may lead by now, so this one ends"
            )
