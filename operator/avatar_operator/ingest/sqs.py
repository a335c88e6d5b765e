"""Long-polling SQS: messages become hints, and are deleted once the hint has been handed over.

A message is deleted after its hint was taken, whatever it says: what is unparsable now stays so, and what a hint was
about can always be looked up. If the receiver itself fails, the message comes back after the queue's visibility
time-out. A message about an object that nobody here knows is put back (see `unknown_objects`), and the queue is left to
others for a moment: that bounds the rate, too, at which such messages go back and forth.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from avatar_operator.aws.errors import AWS_CALL_ERRORS, aws_failure
from avatar_operator.ingest.messages import (
    AttemptHint,
    Hint,
    HintOutcome,
    Ignored,
    Message,
    OnHint,
    PhotosHint,
    ProgressHint,
    Unparsable,
    parse_message,
)
from avatar_operator.ingest.metrics import DROPPED, FAILED, IGNORED, UNEXPECTED, IngestMetrics
from avatar_operator.ingest.queue import Queue
from avatar_operator.ingest.unknown_objects import UnknownObjects, rest_seconds

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
FOR_OTHERS_SECONDS = (0.75, 1.5)
"""How long the queue is left to others; drawn anew each time, so that two consumers do not fall into step."""
log = structlog.get_logger(__name__)


class _Fate(Enum):
    """What is done with a message."""

    DELETE = "Delete"
    PUT_BACK = "PutBack"
    LEAVE = "Leave"


class Consumer:
    """Reads one queue for as long as it runs.

    Args:
        queue_url: the queue.
        region: its region.
        on_hint: takes a hint. If it raises, the message stays on the queue.
        metrics: the series.
        endpoint_url: of an emulator; None leaves it to the environment and to AWS.
        sleep: waits for some seconds: after failures, and to leave the queue to others.
        before_send: called right before every request goes out; if it raises, the request is not sent.
    """

    def __init__(
        self,
        queue_url: str,
        region: str,
        on_hint: OnHint,
        metrics: IngestMetrics,
        *,
        endpoint_url: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        before_send: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue_url = queue_url
        self._queue = Queue(queue_url, region, metrics, endpoint_url=endpoint_url, before_send=before_send)
        self._on_hint = on_hint
        self._metrics = metrics
        self._sleep = sleep
        self._unknown = UnknownObjects(queue_url)

    async def run(self) -> None:
        """Read until cancelled. No failure ends it."""
        failures = 0
        while True:
            try:
                await self.poll()
                failures = 0
            except AWS_CALL_ERRORS as error:
                failures += 1
                failure = aws_failure(error, f"read queue {self._queue_url}")
                self._metrics.errors.labels("ReceiveMessage", failure.reason).inc()
                log.warning(
                    "queue cannot be read",
                    queue=self._queue_url,
                    reason=failure.reason,
                    error=failure.said.reveal(),
                )
                await self._sleep(_pause(failures))
            except Exception:
                failures += 1
                self._metrics.errors.labels("ReceiveMessage", UNEXPECTED).inc()
                log.exception("queue consumer failed", queue=self._queue_url)
                await self._sleep(_pause(failures))

    async def poll(self) -> None:
        """Receive one batch, hand it over, delete what was taken and put back what is somebody else's."""
        fates = [(message, self._hand_over(message)) for message in await self._queue.receive()]
        done = [message for message, fate in fates if fate is _Fate.DELETE]
        if done:
            await self._queue.delete(done)
        unknown = [message for message, fate in fates if fate is _Fate.PUT_BACK]
        if unknown:
            rests = {message["ReceiptHandle"]: rest_seconds(_receive_count(message)) for message in unknown}
            await self._queue.put_back(rests)
            await self._sleep(random.uniform(*FOR_OTHERS_SECONDS))  # noqa: S311  # not for cryptography

    def _hand_over(self, received: "MessageTypeDef") -> _Fate:
        message = parse_message(received.get("Body", ""))
        kind = _kind(message)
        fate = _Fate.DELETE
        match message:
            case Ignored():
                outcome = IGNORED
            case Unparsable(reason):
                outcome = DROPPED
                log.warning("message dropped", reason=reason, message_id=received.get("MessageId"))
            case _:
                fate, outcome = self._offer(message)
        self._metrics.messages.labels(kind, outcome).inc()
        sent = received.get("Attributes", {}).get("SentTimestamp", "")
        if fate is _Fate.DELETE and sent.isdecimal():
            self._metrics.latency.labels(kind).observe(max(0.0, time.time() - int(sent) / 1000))
        return fate

    def _offer(self, hint: Hint) -> tuple[_Fate, str]:
        try:
            outcome = self._on_hint(hint)
        except Exception:
            log.exception("hint not taken", about=_subject(hint))
            return _Fate.LEAVE, FAILED
        if outcome is not HintOutcome.UNKNOWN:
            return _Fate.DELETE, outcome.value
        self._unknown.received(_subject(hint))
        return _Fate.PUT_BACK, outcome.value


def _receive_count(message: "MessageTypeDef") -> int:
    count = message.get("Attributes", {}).get("ApproximateReceiveCount", "")
    return int(count) if count.isdecimal() else 1


def _subject(hint: Hint) -> str:
    match hint:
        case AttemptHint(inference_id):
            return inference_id
        case ProgressHint(message):
            return message.inference_id
        case PhotosHint(objects):
            return ", ".join(f"{changed.key} in bucket {changed.bucket}" for changed in objects)


def _kind(message: Message) -> str:
    match message:
        case AttemptHint():
            return "Attempt"
        case ProgressHint():
            return "Progress"
        case PhotosHint():
            return "Photos"
        case Ignored(reason):
            return reason
        case Unparsable():
            return "Unparsable"


def _pause(failures: int) -> float:
    # Jittered, so that several consumers of a broken endpoint do not come back in step.
    longest = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # not for cryptography
