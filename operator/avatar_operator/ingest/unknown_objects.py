"""Messages about objects that this operator does not know: not ours to delete, and no reason to be busy.

Two installations that share a queue receive each other's messages. SQS hands a message to one of them, so whoever
deletes what it does not know takes the news from the other. Such a message is put back instead, at once, and whoever put
it back does not read for a second, so that the other one does. Where both have put something back it is chance who reads
next, so the first few times count for nothing. After that, the longer nobody knows a message, the longer it rests, until
the queue's redrive policy moves it to its dead-letter queue or its retention ends it.

It is said in the log now and then, with the way out: a queue for each installation.
"""

import time
from collections.abc import Callable

import structlog

TIMES_AT_ONCE = 5
LONGEST_REST_SECONDS = 3600
WARN_SECONDS = 600.0
log = structlog.get_logger(__name__)


def rest_seconds(receive_count: int) -> int:
    """How long a message that nobody knew stays out of sight.

    Args:
        receive_count: how often it was received, this time included.
    """
    if receive_count <= TIMES_AT_ONCE:
        return 0
    doublings = min(receive_count - TIMES_AT_ONCE, LONGEST_REST_SECONDS.bit_length())
    return min(1 << doublings, LONGEST_REST_SECONDS)


class UnknownObjects:
    """Says now and then that a queue carries messages for somebody else.

    Args:
        queue_url: the queue.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(self, queue_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._queue_url = queue_url
        self._monotonic = monotonic
        self._unsaid = 0
        self._warned: float | None = None

    def received(self, inference_id: str) -> None:
        """A message about the attempt of an unknown model was put back."""
        self._unsaid += 1
        now = self._monotonic()
        if self._warned is not None and now - self._warned < WARN_SECONDS:
            return
        log.warning(
            "the queue carries messages about models that this operator does not know; they are left for whoever does."
            " If another installation shares the queue, give each a queue of its own",
            queue=self._queue_url,
            messages=self._unsaid,
            inference_id=inference_id,
        )
        self._unsaid = 0
        self._warned = now
