"""Whether a container can be trusted with requests.

    trusted ──(a connection was refused or broke)──> suspect ──(it answers a ping)──> trusted
                                                        └──────(its process ends)───> ended

A container that has died is known to be dead only when its process has been reaped, which a busy machine can put off. Until then
its instance would look free, and be handed request after request that cannot arrive. So whoever sees a connection refused or
broken says so here: the instance takes no request from then on, is pinged at once, and is trusted again when it answers.

A ping that merely takes too long makes nobody suspect: SageMaker goes on sending requests to a container that is slow to answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PING_TIMEOUT_SECONDS = 2.0
PING_INTERVAL_SECONDS = 5.0
SUSPECT_PING_INTERVAL_SECONDS = 0.1
# AWS does not say when it gives up on a container that stops answering pings. A minute spares one that is only busy.
UNHEALTHY_SECONDS = 60.0


class Health:
    """What is known about a serving container.

    Arguments:
        ping: asks the container once, and tells whether it answered 200.
        recovered: called, on the watching thread, when a suspect container is trusted again.
    """

    def __init__(self, ping: Callable[[], bool], recovered: Callable[[], None]) -> None:
        self._ping = ping
        self._recovered = recovered
        self._lock = threading.Lock()
        self._doubts = 0
        self._attention = threading.Event()
        self._settled = threading.Event()
        self._settled.set()
        self._ended = threading.Event()

    @property
    def suspect(self) -> bool:
        """Whether the container must not be given requests until it has answered a ping."""
        return not self._settled.is_set()

    def trust(self) -> bool:
        """The container has answered its first ping; what was refused while it started does not count.

        Returns:
            False when its process has ended since.
        """
        with self._lock:
            if self._ended.is_set():
                return False
            self._settled.set()
            self._attention.clear()
            return True

    def doubt(self) -> None:
        """A connection to the container was refused or broke."""
        with self._lock:
            if self._ended.is_set():
                return
            self._doubts += 1
            self._settled.clear()
        self._attention.set()

    def end(self) -> None:
        """The container's process has ended."""
        with self._lock:
            self._ended.set()
            self._settled.set()
        self._attention.set()

    def await_verdict(self, timeout: float) -> None:
        """Wait until the container is trusted again or has ended, for at most `timeout` real seconds."""
        self._settled.wait(timeout)

    def watch(self) -> bool:
        """Ping a serving container until it ends.

        Returns:
            True when it ended by itself, False when it has answered no ping for `UNHEALTHY_SECONDS`.
        """
        failures, failing_since = 0, 0.0
        while True:
            self._attention.wait(_pause(failures) if self.suspect else PING_INTERVAL_SECONDS)
            self._attention.clear()
            if self._ended.is_set():
                return True
            asked = time.monotonic()
            if self._answers():
                failures = 0
                continue
            failing_since = failing_since if failures else asked
            failures += 1
            if time.monotonic() - failing_since >= UNHEALTHY_SECONDS:
                return False

    def _answers(self) -> bool:
        """Ping once. An answer from before the latest doubt does not settle it."""
        with self._lock:
            doubts = self._doubts
        if not self._ping():
            return False
        with self._lock:
            if self._doubts != doubts:
                return True
            recovered = self.suspect
            self._settled.set()
        if recovered:
            self._recovered()
        return True


def _pause(failures: int) -> float:
    """Real seconds until a suspect container is asked again: soon at first, later and later."""
    return min(SUSPECT_PING_INTERVAL_SECONDS * 2.0 ** min(failures, 10), PING_INTERVAL_SECONDS)
