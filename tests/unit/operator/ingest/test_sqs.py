"""The consumer: hands over, deletes, survives, stops at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_operator.ingest.messages import AttemptHint, Hint
from avatar_operator.ingest.sqs import Consumer, IngestMetrics
from avatar_operator.names import inference_id

REGION = "eu-central-1"
PATIENCE_SECONDS = 30.0
UID = "5c47544e-a565-47ff-9053-03c7a70440f2"


def result(attempt: int) -> dict[str, str]:
    return {"eventName": "InferenceResult", "inferenceId": inference_id(UID, 1, attempt)}


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@asynccontextmanager
async def running(
    url: str, aws_url: str, on_hint: Callable[[Hint], None], registry: CollectorRegistry, **arguments: Any
) -> AsyncIterator[asyncio.Task[None]]:
    consumer = Consumer(url, REGION, on_hint, IngestMetrics(registry), endpoint_url=aws_url, **arguments)
    task = asyncio.create_task(consumer.run())
    try:
        yield task
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_hints_are_handed_over_and_their_messages_deleted(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []
    queue.send(*(result(attempt) for attempt in range(1, 13)))
    async with running(queue.url, aws_url, hints.append, registry):
        await until(lambda: len(hints) >= 12 and queue.count() == 0)
    assert set(hints) == {AttemptHint(inference_id(UID, 1, attempt)) for attempt in range(1, 13)}


async def test_what_is_no_hint_is_counted_and_deleted(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []
    queue.send("garbage", {"eventName": "TestNotification"}, result(1))
    async with running(queue.url, aws_url, hints.append, registry):
        await until(lambda: queue.count() == 0)
    assert hints == [AttemptHint(inference_id(UID, 1, 1))]

    def count(kind: str, outcome: str) -> float | None:
        return registry.get_sample_value("avatar_ingest_messages_total", {"kind": kind, "outcome": outcome})

    assert count("Unparsable", "Dropped") == 1
    assert count("TestNotification", "Ignored") == 1
    assert count("Attempt", "Accepted") == 1
    assert registry.get_sample_value("avatar_ingest_latency_seconds_count", {"kind": "Attempt"}) == 1


async def test_a_hint_that_was_not_taken_comes_again(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []

    def take(hint: Hint) -> None:
        hints.append(hint)
        if len(hints) == 1:
            raise RuntimeError("not now")

    queue.send(result(1))
    async with running(queue.url, aws_url, take, registry):
        await until(lambda: len(hints) == 2 and queue.count() == 0)


async def test_a_queue_that_cannot_be_read_is_tried_again_ever_more_slowly(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            queue.sqs.create_queue(QueueName="late")

    hints: list[Hint] = []
    late = queue.url.rpartition("/")[0] + "/late"
    async with running(late, aws_url, hints.append, registry, sleep=pause):
        await until(lambda: len(pauses) >= 8)
        queue.sqs.send_message(QueueUrl=late, MessageBody=json.dumps(result(1)))
        await until(lambda: len(hints) == 1)
    assert all(seconds <= 60 for seconds in pauses)
    assert max(pauses[:2]) < max(pauses)
    failures = registry.get_sample_value(
        "avatar_ingest_errors_total", {"op": "ReceiveMessage", "reason": "AwsRejected"}
    )
    assert failures == len(pauses)


async def test_cancelling_does_not_wait_for_the_poll(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    async with running(queue.url, aws_url, lambda hint: None, registry) as task:
        queue.send("garbage")
        await until(lambda: queue.count() == 0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done == {task}
