"""One SQS queue: receive, delete, put back.

A receive blocks a thread for up to 20 seconds. It is a daemon thread of its own, not one of a pool: cancelling the
consumer returns at once, and neither a shutdown nor the interpreter's exit waits for a poll that has nothing to say. A
message that such an abandoned poll still receives reappears after the visibility time-out, for the next leader.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

import boto3
from botocore.config import Config

from avatar_operator.aws.errors import AWS_CALL_ERRORS, aws_failure
from avatar_operator.aws.renewable_client import RenewableClient
from avatar_operator.ingest.metrics import REFUSED, IngestMetrics

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageTypeDef

T = TypeVar("T")
WAIT_SECONDS = 20
BATCH = 10


class Queue:
    """A queue, without blocking the event loop.

    Args:
        url: the queue.
        region: its region.
        metrics: the series.
        endpoint_url: of an emulator; None leaves it to the environment and to AWS.
        before_send: called right before every request goes out; if it raises, the request is not sent.
    """

    def __init__(
        self,
        url: str,
        region: str,
        metrics: IngestMetrics,
        *,
        endpoint_url: str | None,
        before_send: Callable[[], None],
    ) -> None:
        self._before_send = before_send
        self._url = url
        self._region = region
        self._metrics = metrics
        self._endpoint_url = endpoint_url
        self._client = RenewableClient(self._make_client)

    async def receive(self) -> Sequence["MessageTypeDef"]:
        """Some messages, or none after a while. Raises what botocore raises."""
        answer = await self._call(
            lambda sqs: sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
        )
        return answer.get("Messages", [])

    async def delete(self, messages: Sequence["MessageTypeDef"]) -> None:
        """Remove messages. Those that stay come again, which is counted and no error."""
        await self._counted(
            "DeleteMessageBatch",
            lambda sqs: sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            ).get("Failed", []),
        )

    async def put_back(self, rests: Mapping[str, int]) -> None:
        """Show messages again after some seconds, by receipt handle. Where that fails, the queue's own time-out counts."""
        await self._counted(
            "ChangeMessageVisibilityBatch",
            lambda sqs: sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                    for number, (handle, seconds) in enumerate(rests.items())
                ],
            ).get("Failed", []),
        )

    async def _counted(
        self, operation: str, call: Callable[["SQSClient"], Sequence["BatchResultErrorEntryTypeDef"]]
    ) -> None:
        try:
            refusals = await self._call(call)
        except AWS_CALL_ERRORS as error:
            self._metrics.errors.labels(operation, aws_failure(error, operation).reason).inc()
        else:
            self._metrics.errors.labels(operation, REFUSED).inc(len(refusals))

    async def _call(self, call: Callable[["SQSClient"], T]) -> T:
        return await _in_daemon_thread(lambda: self._client.call(call))

    def _make_client(self) -> "SQSClient":
        client = boto3.session.Session().client(
            "sqs",
            region_name=self._region,
            endpoint_url=self._endpoint_url,
            config=Config(
                connect_timeout=5,
                read_timeout=WAIT_SECONDS + 10,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )
        client.meta.events.register("before-send", lambda **_: self._before_send())
        return client


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
