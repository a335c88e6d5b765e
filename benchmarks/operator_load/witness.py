"""A plain client on a queue of its own: it says when a notification was published, and how fast anybody could know of it.

It is the peer of the operator's way to the status: it long-polls the same topic and does nothing with what it reads.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from e2e.flight import Flight


@dataclass(frozen=True)
class Notice:
    """One notification, in seconds since 1970.

    Attributes:
        published: when SNS gave it to the queue.
        received: when a plain client had it.
    """

    published: float
    received: float


class Witness:
    """Reads every success of a flight's training endpoint for as long as the block; notices are by inference id."""

    def __init__(self, flight: Flight) -> None:
        self.notices: dict[str, Notice] = {}
        self._sqs = flight.sqs
        self._queue: str = flight.sqs.create_queue(QueueName=f"{flight.name}-witness")["QueueUrl"]
        attributes = flight.sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        flight.sns.subscribe(
            TopicArn=flight.succeeded,
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="witness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=30)

    def _read(self) -> None:
        while not self._ended.is_set():
            answer = self._sqs.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=5,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            received = time.time()
            for message in answer.get("Messages", []):
                self._note(message, received)
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _note(self, message: dict[str, Any], received: float) -> None:
        inference_id = json.loads(message["Body"]).get("inferenceId")
        if inference_id is not None:
            published = int(message["Attributes"]["SentTimestamp"]) / 1000
            self.notices.setdefault(inference_id, Notice(published, received))
