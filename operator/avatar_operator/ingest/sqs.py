"""Long-polling SQS: messages become hints, and are deleted once the hint has been handed over.

A message is deleted after its hint was taken, whatever it says: what is unparsable now stays so, and what a hint was
about can always be looked up. If the receiver itself fails, the message comes back after the queue's visibility
time-out.

A poll blocks a thread for up to 20 seconds. It is a daemon thread of its own, not one of a pool: cancelling the consumer
returns at once, and neither a shutdown nor the interpreter's exit waits for a poll that has nothing to say. A message
that such an abandoned poll still receives reappears after the visibility time-out, for the next leader.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

import boto3
import structlog
from botocore.config import Config
from prometheus_client import CollectorRegistry, Counter, Histogram

from avatar_operator.aws.errors import AWS_CALL_ERRORS, aws_failure
from avatar_operator.ingest.messages import (
    AttemptHint,
    Hint,
    Ignored,
    Message,
    ProgressHint,
    Unparsable,
    parse_message,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

T = TypeVar("T")
WAIT_SECONDS = 20
BATCH = 10
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
log = structlog.get_logger(__name__)


class IngestMetrics:
    """The series that all consumers of a process share.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "avatar_ingest_messages_total",
            "Messages received, by what they are and what became of them.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.latency = Histogram(
            "avatar_ingest_latency_seconds",
            "From the sending of a message to its hint being handed over.",
            ["kind"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800),
            registry=registry,
        )
        self.errors = Counter(
            "avatar_ingest_errors_total",
            "Calls to SQS that failed, by reason.",
            ["op", "reason"],
            registry=registry,
        )


class Consumer:
    """Reads one queue for as long as it runs.

    Args:
        queue_url: the queue.
        region: its region.
        on_hint: takes a hint; must not block. If it raises, the message stays on the queue.
        metrics: the series.
        endpoint_url: of an emulator; None leaves it to the environment and to AWS.
        sleep: waits for some seconds, between failures.
        before_send: called right before every request goes out; if it raises, the request is not sent.
    """

    def __init__(
        self,
        queue_url: str,
        region: str,
        on_hint: Callable[[Hint], None],
        metrics: IngestMetrics,
        *,
        endpoint_url: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        before_send: Callable[[], None] = lambda: None,
    ) -> None:
        self._before_send = before_send
        self._queue_url = queue_url
        self._region = region
        self._on_hint = on_hint
        self._metrics = metrics
        self._endpoint_url = endpoint_url
        self._sleep = sleep
        self._client: SQSClient | None = None

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
                    error=failure.message,
                )
                await self._sleep(_pause(failures))
            except Exception:
                failures += 1
                self._metrics.errors.labels("ReceiveMessage", "UnexpectedError").inc()
                log.exception("queue consumer failed", queue=self._queue_url)
                await self._sleep(_pause(failures))

    async def poll(self) -> None:
        """Receive one batch, hand it over, delete it."""
        messages = await _in_daemon_thread(self._receive)
        taken = [message for message in messages if self._hand_over(message)]
        if taken:
            await _in_daemon_thread(lambda: self._delete(taken))

    def _receive(self) -> Sequence["MessageTypeDef"]:
        answer = self._sqs().receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return answer.get("Messages", [])

    def _delete(self, messages: Sequence["MessageTypeDef"]) -> None:
        try:
            answer = self._sqs().delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )
        except AWS_CALL_ERRORS as error:
            # They come again, and hints may come twice.
            reason = aws_failure(error, "delete messages").reason
            self._metrics.errors.labels("DeleteMessageBatch", reason).inc()
            return
        for refusal in answer.get("Failed", []):
            self._metrics.errors.labels("DeleteMessageBatch", refusal["Code"]).inc()

    def _hand_over(self, received: "MessageTypeDef") -> bool:
        message = parse_message(received.get("Body", ""))
        kind = _kind(message)
        match message:
            case Ignored():
                outcome = "Ignored"
            case Unparsable(reason):
                outcome = "Dropped"
                log.warning("message dropped", reason=reason, message_id=received.get("MessageId"))
            case _:
                try:
                    self._on_hint(message)
                except Exception:
                    log.exception("hint not taken", kind=kind)
                    self._metrics.messages.labels(kind, "Failed").inc()
                    return False
                outcome = "Accepted"
        self._metrics.messages.labels(kind, outcome).inc()
        sent = received.get("Attributes", {}).get("SentTimestamp", "")
        if sent.isdecimal():
            self._metrics.latency.labels(kind).observe(max(0.0, time.time() - int(sent) / 1000))
        return True

    def _sqs(self) -> "SQSClient":
        if self._client is None:
            self._client = boto3.session.Session().client(
                "sqs",
                region_name=self._region,
                endpoint_url=self._endpoint_url,
                config=Config(
                    connect_timeout=5,
                    read_timeout=WAIT_SECONDS + 10,
                    retries={"mode": "standard", "total_max_attempts": 2},
                ),
            )
            self._client.meta.events.register("before-send", lambda **_: self._before_send())
        return self._client


def _kind(message: Message) -> str:
    match message:
        case AttemptHint():
            return "Attempt"
        case ProgressHint():
            return "Progress"
        case Ignored(reason):
            return reason
        case Unparsable():
            return "Unparsable"


def _pause(failures: int) -> float:
    # Jittered, so that several consumers of a broken endpoint do not come back in step.
    longest = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # not for cryptography


async def _in_daemon_thread(call: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))

    def run() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = call()
        except Exception as error:
            failure = error
        # The loop may be gone by the time that an abandoned poll returns.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="sqs-poll", daemon=True).start()
    return await future
