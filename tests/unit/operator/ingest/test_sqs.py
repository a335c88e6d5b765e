"""The consumer: hands over, deletes, survives, stops at once."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from structlog.typing import EventDict

from avatar_operator.ingest.messages import AttemptHint, ChangedObject, Hint, HintOutcome, OnHint, PhotosHint
from avatar_operator.ingest.metrics import OUTCOMES, IngestMetrics
from avatar_operator.ingest.sqs import Consumer
from avatar_operator.ingest.unknown_objects import WARN_SECONDS, UnknownObjects, rest_seconds
from avatar_operator.names import inference_id
from builders.aws_stub import Answer, Call, aws_stub, json_error

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


def into(hints: list[Hint], outcome: HintOutcome = HintOutcome.TAKEN) -> OnHint:
    """Somebody who notes every hint."""

    def take(hint: Hint) -> HintOutcome:
        hints.append(hint)
        return outcome

    return take


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    """What was logged."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@asynccontextmanager
async def running(
    url: str, aws_url: str, on_hint: OnHint, registry: CollectorRegistry, **arguments: Any
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
    async with running(queue.url, aws_url, into(hints), registry):
        await until(lambda: len(hints) >= 12 and queue.count() == 0)
    assert set(hints) == {AttemptHint(inference_id(UID, 1, attempt)) for attempt in range(1, 13)}


async def test_what_is_no_hint_is_counted_and_deleted(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []
    queue.send("garbage", {"eventName": "TestNotification"}, result(1))
    async with running(queue.url, aws_url, into(hints), registry):
        await until(lambda: queue.count() == 0)
    assert hints == [AttemptHint(inference_id(UID, 1, 1))]

    def count(kind: str, outcome: str) -> float | None:
        return registry.get_sample_value("avatar_ingest_messages_total", {"kind": kind, "outcome": outcome})

    assert count("Unparsable", "Dropped") == 1
    assert count("TestNotification", "Ignored") == 1
    assert count("Attempt", "Accepted") == 1
    assert registry.get_sample_value("avatar_ingest_latency_seconds_count", {"kind": "Attempt"}) == 1


async def test_an_upload_that_concerns_nobody_is_counted_and_deleted(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []
    record = {"s3": {"bucket": {"name": "avatars"}, "object": {"key": "photos/1.jpg"}}}
    queue.send({"Records": [record]}, {"Event": "s3:TestEvent"})
    async with running(queue.url, aws_url, into(hints, HintOutcome.UNAWAITED), registry):
        await until(lambda: queue.count() == 0)
    assert hints == [PhotosHint((ChangedObject("avatars", "photos/1.jpg"),))]
    for kind, outcome in (("Photos", "Unawaited"), ("TestEvent", "Ignored")):
        labels = {"kind": kind, "outcome": outcome}
        assert registry.get_sample_value("avatar_ingest_messages_total", labels) == 1


async def test_a_hint_that_was_not_taken_comes_again(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []

    def take(hint: Hint) -> HintOutcome:
        hints.append(hint)
        if len(hints) == 1:
            raise RuntimeError("not now")
        return HintOutcome.TAKEN

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
    async with running(late, aws_url, into(hints), registry, sleep=pause):
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
    async with running(queue.url, aws_url, into([]), registry) as task:
        queue.send("garbage")
        await until(lambda: queue.count() == 0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done == {task}


async def test_what_nobody_here_knows_is_left_for_another_installation(
    queue: Any, aws_url: str, registry: CollectorRegistry, logged: list[EventDict]
) -> None:
    ours: list[Hint] = []
    theirs: list[Hint] = []
    others_turn = asyncio.Event()

    async def leave_to_others(seconds: float) -> None:
        others_turn.set()
        await asyncio.Event().wait()

    queue.send(*(result(attempt) for attempt in range(1, 4)))
    unknowing = into(ours, HintOutcome.UNKNOWN)
    async with running(queue.url, aws_url, unknowing, registry, sleep=leave_to_others):
        await others_turn.wait()
        async with running(queue.url, aws_url, into(theirs), CollectorRegistry()):
            await until(lambda: queue.count() == 0)
    assert set(theirs) == {AttemptHint(inference_id(UID, 1, attempt)) for attempt in range(1, 4)}
    unknown = registry.get_sample_value(
        "avatar_ingest_messages_total", {"kind": "Attempt", "outcome": "Unknown"}
    )
    assert unknown == len(ours) > 0
    warnings = [entry for entry in logged if entry["log_level"] == "warning"]
    assert len(warnings) == 1
    assert "give each a queue of its own" in warnings[0]["event"]


async def test_what_nobody_ever_knows_ends_in_the_dead_letter_queue(
    queue: Any, aws_url: str, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar_operator.ingest.sqs.rest_seconds", lambda receive_count: 0)
    dead = queue.sqs.create_queue(QueueName=f"dead-{uuid.uuid4().hex}")["QueueUrl"]
    arn = queue.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": redrive})
    hints: list[Hint] = []
    queue.send(result(1))
    async with running(queue.url, aws_url, into(hints, HintOutcome.UNKNOWN), registry):
        await until(lambda: "Messages" in queue.sqs.receive_message(QueueUrl=dead))
    assert len(hints) == 3


async def test_what_is_said_of_a_deleted_object_is_deleted(
    queue: Any, aws_url: str, registry: CollectorRegistry
) -> None:
    hints: list[Hint] = []
    queue.send(result(1))
    async with running(queue.url, aws_url, into(hints, HintOutcome.STALE), registry):
        await until(lambda: queue.count() == 0)
    assert len(hints) == 1


async def test_after_each_message_for_others_the_queue_is_left_to_them(
    queue: Any, aws_url: str, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar_operator.ingest.sqs.rest_seconds", lambda receive_count: 0)
    hints: list[Hint] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            await asyncio.Event().wait()

    queue.send(result(1))
    async with running(queue.url, aws_url, into(hints, HintOutcome.UNKNOWN), registry, sleep=pause):
        await until(lambda: len(pauses) == 5)
    assert len(hints) == 5
    assert all(0.5 < seconds < 2 for seconds in pauses)


async def test_credentials_that_changed_are_taken_up_by_the_consumer(
    tmp_path: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = OLD\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setattr("avatar_operator.aws.renewable_client.RENEW_SECONDS", 0.0)
    hints: list[Hint] = []
    message = {"MessageId": "1", "ReceiptHandle": "1", "Body": json.dumps(result(1))}

    def answer(call: Call) -> Answer:
        if call.access_key != "NEW":
            return json_error(403, "ExpiredTokenException")
        return Answer(200, json.dumps({"Messages": [] if hints else [message]}).encode())

    async def pause(seconds: float) -> None:
        credentials.write_text("[default]\naws_access_key_id = NEW\naws_secret_access_key = secret\n")

    with aws_stub(answer) as stub:
        async with running(f"{stub.url}/1/queue", stub.url, into(hints), registry, sleep=pause):
            await until(lambda: len(hints) == 1)
    failed = {"op": "ReceiveMessage", "reason": "CredentialsExpired"}
    assert registry.get_sample_value("avatar_ingest_errors_total", failed) == 1


def test_every_series_is_there_from_the_start(registry: CollectorRegistry) -> None:
    IngestMetrics(registry)
    there = {
        (sample.labels["kind"], sample.labels["outcome"])
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "avatar_ingest_messages_total"
    }
    assert there == {(kind, outcome) for kind, outcomes in OUTCOMES.items() for outcome in outcomes}
    for op in ("ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"):
        for reason in (
            "Throttled",
            "AccessDenied",
            "CredentialsExpired",
            "AwsUnreachable",
            "UnexpectedError",
        ):
            assert registry.get_sample_value("avatar_ingest_errors_total", {"op": op, "reason": reason}) == 0
    assert registry.get_sample_value("avatar_ingest_latency_seconds_count", {"kind": "Progress"}) == 0


def test_a_message_that_nobody_knows_rests_longer_each_time() -> None:
    rests = [rest_seconds(count) for count in range(1, 1000)]
    assert rests[:9] == [0, 0, 0, 0, 0, 2, 4, 8, 16]
    assert rests == sorted(rests)
    assert rests[-1] == 3600
    assert rest_seconds(0) == 0


def test_strange_messages_are_warned_of_once_in_a_while(logged: list[EventDict]) -> None:
    now = 0.0
    unknown = UnknownObjects("queue", monotonic=lambda: now)
    for _ in range(100):
        unknown.received("avatar-1")
    now = WARN_SECONDS
    unknown.received("avatar-2")
    assert [(entry["messages"], entry["inference_id"]) for entry in logged] == [
        (1, "avatar-1"),
        (100, "avatar-2"),
    ]
