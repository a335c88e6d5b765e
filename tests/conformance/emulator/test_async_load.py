"""Many asynchronous invocations from fifty clients over four instances that keep crashing: nothing is lost, nothing done twice.

Every invocation costs the server an S3 object, an SNS message and an SQS message, so two thousand of them would take minutes of
a machine that is busy with other things. A test run does a tenth of that; `make bench-sagemaker-local` does all two thousand,
through `ASYNC_LOAD_INVOCATIONS`, with the same assertions.

The containers tell what they ran by appending each inference id to a file before they answer. Which invocations a crash hits
depends on the machine's speed, and so does how many fail; that each of them ends once does not, and only that is asserted.
"""

from __future__ import annotations

import http.client
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagemaker_local.testing import LocalAws

CLIENTS = 50
INVOCATIONS = int(os.environ.get("ASYNC_LOAD_INVOCATIONS", "200")) // CLIENTS * CLIENTS
INSTANCES = 4
CONCURRENCY = 2
CRASH_EVERY = 40
CRASHES = INVOCATIONS // CRASH_EVERY
# A loaded machine has been seen to give all of this a tenth of one core.
PATIENCE_SECONDS = 120 + 1.5 * INVOCATIONS
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"


@dataclass
class Outcome:
    """What came of all invocations, by inference id."""

    accepted: dict[str, tuple[str, str]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    objects: frozenset[str] = frozenset()
    runs: Counter[str] = field(default_factory=Counter)
    crashes: int = 0


class Client:
    """Somebody with one connection who calls InvokeEndpointAsync with an inline body.

    Plain HTTP: fifty boto3 clients would spend more of the machine than the server that is tested.
    """

    def __init__(self, url: str, endpoint: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=PATIENCE_SECONDS
        )
        self._path = f"/endpoints/{endpoint}/async-invocations"

    def invoke(self, inference_id: str) -> tuple[str, str]:
        """Returns OutputLocation and FailureLocation."""
        headers = {
            INFERENCE_ID: inference_id,
            "Content-Type": "text/plain",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/sagemaker/aws4_request",
        }
        self._connection.request("POST", self._path, inference_id.encode(), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 202, body
        prefix = "X-Amzn-SageMaker-"
        return str(answer.headers[f"{prefix}OutputLocation"]), str(answer.headers[f"{prefix}FailureLocation"])

    def close(self) -> None:
        self._connection.close()


def invoke_all(url: str, endpoint: str) -> dict[str, tuple[str, str]]:
    """All invocations, from all clients at once."""

    def work(number: int) -> list[tuple[str, tuple[str, str]]]:
        with closing(Client(url, endpoint)) as client:
            ids = [f"client-{number}-{each}" for each in range(INVOCATIONS // CLIENTS)]
            return [(inference_id, client.invoke(inference_id)) for inference_id in ids]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return dict(pair for pairs in pool.map(work, range(CLIENTS)) for pair in pairs)


def hear_of_all(user: Any, queues: list[str], told: Counter[str]) -> Callable[[], bool]:
    """Reads what waits in the queues; tells whether every invocation has been heard of."""

    def heard() -> bool:
        for queue in queues:
            while messages := user.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                bodies = [json.loads(message["Body"]) for message in messages]
                told.update(body["inferenceId"] for body in bodies if "inferenceId" in body)
                receipts = [
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ]
                user.sqs.delete_message_batch(QueueUrl=queue, Entries=receipts)
        return len(told) >= INVOCATIONS

    return heard


def objects_below(user: Any, prefix: str) -> set[str]:
    pages = user.s3.get_paginator("list_objects_v2").paginate(Bucket=user.bucket, Prefix=prefix)
    return {f"s3://{user.bucket}/{each['Key']}" for page in pages for each in page.get("Contents", [])}


@pytest.fixture(scope="module")
def outcome(
    container: list[str], make_target: Any, make_user: Any, eventually: Any, tmp_path_factory: Any
) -> Iterator[Outcome]:
    runs = Path(tmp_path_factory.mktemp("load")) / "runs"
    with LocalAws(images={"trivial": container}) as aws:
        user = make_user(make_target(aws))
        topics, queues = {}, []
        for name in ("SuccessTopic", "ErrorTopic"):
            topics[name] = user.sns.create_topic(Name=f"{user.name}-{name}")["TopicArn"]
            queues.append(user.sqs.create_queue(QueueName=f"{user.name}-{name}")["QueueUrl"])
            arn = user.sqs.get_queue_attributes(QueueUrl=queues[-1], AttributeNames=["QueueArn"])
            user.sns.subscribe(
                TopicArn=topics[name],
                Protocol="sqs",
                Endpoint=arn["Attributes"]["QueueArn"],
                Attributes={"RawMessageDelivery": "true"},
            )
        endpoint = user.async_endpoint(
            {"RUNS_FILE": str(runs)}, CONCURRENCY, topics, InitialInstanceCount=INSTANCES
        )
        aws.add_fault(kind="instance", action="crash", endpoint=endpoint, every=CRASH_EVERY, times=CRASHES)
        result = Outcome()
        with ThreadPoolExecutor(1) as listener:
            heard = hear_of_all(user, queues, result.told)
            # Read while they come: what moto's SQS takes to receive a message grows with the square of those that wait.
            listening = listener.submit(eventually, heard, bool, PATIENCE_SECONDS)
            result.accepted = invoke_all(aws.endpoint_url, endpoint)
            listening.result()
        result.crashes = CRASHES - sum(fault["times"] for fault in aws.faults())
        result.objects = frozenset(objects_below(user, "out/") | objects_below(user, "fail/"))
        result.runs = Counter(runs.read_text().split())
        yield result


def test_every_invocation_ends_in_exactly_one_object(outcome: Outcome) -> None:
    assert len(outcome.accepted) == INVOCATIONS
    ended = [len(outcome.objects & set(locations)) for locations in outcome.accepted.values()]
    assert ended == [1] * INVOCATIONS
    assert len(outcome.objects) == INVOCATIONS


def test_every_invocation_is_told_of(outcome: Outcome) -> None:
    assert set(outcome.told) == set(outcome.accepted)


def test_no_invocation_runs_twice_and_none_succeeds_without_running(outcome: Outcome) -> None:
    assert [inference_id for inference_id, times in outcome.runs.items() if times > 1] == []
    succeeded = {each for each, (output, _) in outcome.accepted.items() if output in outcome.objects}
    assert succeeded <= set(outcome.runs)


def test_instances_crash_throughout(outcome: Outcome) -> None:
    assert outcome.crashes == CRASHES
    assert {failure for _, failure in outcome.accepted.values()} & outcome.objects
