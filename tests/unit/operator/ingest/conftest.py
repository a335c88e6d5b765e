"""SNS and SQS over HTTP, from moto."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


@dataclass
class Queue:
    """A queue, from its sender's side."""

    url: str
    sqs: Any

    def send(self, *bodies: object) -> None:
        for body in bodies:
            self.sqs.send_message(
                QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body)
            )

    def count(self) -> int:
        """Messages that are waiting or that somebody holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """Where moto listens."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def queue(aws_url: str) -> Queue:
    """A new queue."""
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=aws_url)
    name = f"hints-{uuid.uuid4().hex}"
    return Queue(sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"], sqs)
