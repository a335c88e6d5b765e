"""What becomes of an invocation whose container died while it ran.

AWS does not document it. By default it fails, since it may have had effects; a server that is told to redeliver puts it back
to the head of the queue, up to so many times, as a queue with a visibility time-out would. Clients have to stand both.
"""

from __future__ import annotations

MAX_REDELIVERIES = 100


class Redelivery:
    """How often an invocation is run again after its container died. Can be changed while the server runs.

    Arguments:
        most: 0 to let it fail at once.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most

    @property
    def most(self) -> int:
        return self._most

    @most.setter
    def most(self, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REDELIVERIES:
            raise ValueError(
                f"redeliveries must be a whole number from 0 to {MAX_REDELIVERIES}, not {value!r}"
            )
        self._most = value
