"""Messages come when they are worth something, and a dead queue disturbs nobody."""

import json
from typing import Any

import boto3
import pytest
from structlog.testing import capture_logs

from avatar_api.documents.training import ObjectIdentity, ProgressDestination, TrainingProgressMessage
from avatar_workers.training.progress import ProgressReporter, SqsProgressQueue

MODEL = ObjectIdentity(namespace="team", name="ann", uid="uid")


class Recorder:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[TrainingProgressMessage] = []

    def send(self, message: TrainingProgressMessage) -> None:
        self.messages.append(message)


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(recorder: Recorder, clock: Clock) -> ProgressReporter:
    return ProgressReporter("id-1", MODEL, recorder, interval_seconds=5, clock=clock)


def test_steps_within_the_interval_are_not_sent(
    reporter: ProgressReporter, recorder: Recorder, clock: Clock
) -> None:
    for step in range(101):
        reporter.report("Training", step, 100)
        clock.now += 0.5
    assert [message.step for message in recorder.messages] == list(range(0, 101, 10))


def test_the_last_step_and_a_new_stage_are_always_sent(
    reporter: ProgressReporter, recorder: Recorder
) -> None:
    reporter.report("Preparing", 0, 2)
    reporter.report("Preparing", 1, 2)
    reporter.report("Preparing", 2, 2)
    reporter.report("Training", 0, 9)
    reporter.report("Packaging")
    assert [(message.stage, message.step) for message in recorder.messages] == [
        ("Preparing", 0),
        ("Preparing", 2),
        ("Training", 0),
        ("Packaging", 0),
    ]
    assert [message.sequence for message in recorder.messages] == [0, 1, 2, 3]


def test_the_remaining_time_follows_from_the_steps_so_far(
    reporter: ProgressReporter, recorder: Recorder, clock: Clock
) -> None:
    reporter.report("Training", 0, 100)
    clock.now += 20
    reporter.report("Training", 10, 100)
    assert [message.estimated_remaining_seconds for message in recorder.messages] == [None, 180]


def test_a_message_reaches_the_queue_as_json(queue_url: str) -> None:
    queue = SqsProgressQueue(ProgressDestination(queue_url=queue_url))
    ProgressReporter("id-1", MODEL, queue, interval_seconds=5).report("Training", 3, 9)
    body = boto3.client("sqs").receive_message(QueueUrl=queue_url)["Messages"][0]["Body"]
    message = TrainingProgressMessage.model_validate_json(body)
    assert (message.inference_id, message.stage, message.step, message.total_steps) == (
        "id-1",
        "Training",
        3,
        9,
    )
    assert json.loads(body)["totalSteps"] == 9


class CountingClient:
    """Counts attempts on a real client whose queue is not there."""

    def __init__(self, client: Any) -> None:
        self.calls = 0
        self._client = client

    def send_message(self, **arguments: str) -> Any:
        self.calls += 1
        return self._client.send_message(**arguments)


def test_a_queue_that_fails_is_logged_once_and_left_alone_for_a_while() -> None:
    client = CountingClient(boto3.client("sqs"))
    queue = SqsProgressQueue(ProgressDestination(queue_url="http://127.0.0.1:1/0/none"), client)  # type: ignore[arg-type]
    reporter = ProgressReporter("id-1", MODEL, queue, interval_seconds=0)
    with capture_logs() as logs:
        for step in range(3):
            reporter.report("Training", step, 3)
    assert client.calls == 1
    assert [entry["event"] for entry in logs] == ["progress cannot be sent; the training goes on"]
