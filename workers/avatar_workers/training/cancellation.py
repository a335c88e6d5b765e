"""A training that nobody waits for any more stops at its next step."""

import threading

from avatar_workers.errors import WorkerFailure


class Cancellation:
    """Set once, from any thread or signal handler; asked between steps by the training."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the training to stop."""
        self._event.set()

    def check(self) -> None:
        """Stop here if asked to.

        Raises:
            WorkerFailure: WorkerUnavailable, retryable: it is not the training's fault.
        """
        if self._event.is_set():
            raise WorkerFailure(
                "WorkerUnavailable", "the training was stopped before its end; it can be retried"
            )
