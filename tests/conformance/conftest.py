"""A SageMaker to test against, and the few steps that every test of an endpoint repeats.

The tests in this directory speak boto3 only, and check what AWS documents. Those in `emulator/` also use the emulator's own knobs.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from botocore.config import Config

from sagemaker_local.testing import LocalAws

CONTAINER = [sys.executable, "-S", str(Path(__file__).parent / "trivial_container.py")]
ROLE = "arn:aws:iam::123456789012:role/conformance"
DEADLINE_SECONDS = 60.0

T = TypeVar("T")


def _eventually(observe: Callable[[], T], wanted: Callable[[T], bool] = bool) -> T:
    """Observe until it is as wanted; fails the test when that never happens."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        seen = observe()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, f"never came: last seen {seen!r}"
        time.sleep(0.03)


class SageMakerUser:
    """Somebody who deploys endpoints and calls them, with names that nobody else uses."""

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self.s3, self.sns, self.sqs, self.logs = (clients[name] for name in ("s3", "sns", "sqs", "logs"))
        self.sagemaker, self.runtime = clients["sagemaker"], clients["sagemaker-runtime"]
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self.bucket = f"{self.name}-bucket"
        self.s3.create_bucket(Bucket=self.bucket)
        self._endpoints: list[str] = []
        self._configs = 0

    def model(self, name: str | None = None, **container: Any) -> str:
        """Create a model of the trivial container."""
        name = name or f"{self.name}-model-{uuid.uuid4().hex[:6]}"
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": "trivial", **container}, ExecutionRoleArn=ROLE
        )
        return name

    def config(self, model: str, asynchronous: dict[str, Any] | None = None, **variant: Any) -> str:
        """Create an endpoint configuration with one variant."""
        self._configs += 1
        name = f"{self.name}-config-{self._configs}"
        described = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.g5.xlarge",
            "InitialInstanceCount": 1,
            **variant,
        }
        extra = {"AsyncInferenceConfig": asynchronous} if asynchronous else {}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[described], **extra
        )
        return name

    def endpoint(self, config: str, status: str = "InService") -> str:
        """Create an endpoint and wait for a status."""
        name = f"{self.name}-{len(self._endpoints)}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self._endpoints.append(name)
        self.await_status(name, status)
        return name

    def realtime_endpoint(self, environment: dict[str, str] | None = None, **variant: Any) -> str:
        """A single-model endpoint for InvokeEndpoint."""
        return self.endpoint(self.config(self.model(Environment=environment or {}), **variant))

    def async_endpoint(
        self,
        environment: dict[str, str] | None = None,
        concurrency: int = 1,
        topics: dict[str, Any] | None = None,
        **variant: Any,
    ) -> str:
        """An asynchronous endpoint that writes to out/ and fail/ of the test's bucket."""
        return self.endpoint(
            self.config(
                self.model(Environment=environment or {}), self.async_config(concurrency, topics), **variant
            )
        )

    def async_config(self, concurrency: int = 1, topics: dict[str, Any] | None = None) -> dict[str, Any]:
        """An AsyncInferenceConfig of the test's bucket."""
        output: dict[str, Any] = {
            "S3OutputPath": f"s3://{self.bucket}/out",
            "S3FailurePath": f"s3://{self.bucket}/fail",
        }
        if topics:
            output["NotificationConfig"] = topics
        return {"OutputConfig": output, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrency}}

    def multi_model_endpoint(
        self, environment: dict[str, str] | None = None, cache: str = "Enabled", **variant: Any
    ) -> str:
        """A multi-model endpoint over models/ of the test's bucket."""
        model = self.model(
            Mode="MultiModel",
            ModelDataUrl=f"s3://{self.bucket}/models/",
            MultiModelConfig={"ModelCacheSetting": cache},
            Environment=environment or {},
        )
        return self.endpoint(self.config(model, **variant))

    def artifact(self, key: str, **files: str) -> str:
        """Put a tar.gz of text files (dots in names are written as two underscores). Returns its s3:// URL."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name.replace("__", "."))
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=packed.getvalue())
        return f"s3://{self.bucket}/{key}"

    def described(self, endpoint: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_endpoint(EndpointName=endpoint))

    def await_status(self, endpoint: str, status: str) -> dict[str, Any]:
        """Wait for an endpoint's status."""
        return _eventually(
            lambda: self.described(endpoint), lambda described: described["EndpointStatus"] == status
        )

    def invoke_async(
        self, endpoint: str, body: bytes | dict[str, Any] = b"hello", **parameters: Any
    ) -> dict[str, Any]:
        """Put the body into S3 and call InvokeEndpointAsync."""
        key = f"in/{uuid.uuid4().hex}"
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return dict(
            self.runtime.invoke_endpoint_async(
                EndpointName=endpoint, InputLocation=f"s3://{self.bucket}/{key}", **parameters
            )
        )

    def read(self, location: str) -> dict[str, Any] | None:
        """The object at an s3:// location with its body read, or None."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            found = dict(self.s3.get_object(Bucket=bucket, Key=key))
        except self.s3.exceptions.NoSuchKey:
            return None
        found["Body"] = found["Body"].read()
        return found

    def await_object(self, location: str) -> dict[str, Any]:
        """Wait for an object."""
        found = _eventually(lambda: self.read(location), lambda found: found is not None)
        assert found is not None
        return found

    def topic_with_queue(self, name: str) -> tuple[str, Callable[[int], list[dict[str, Any]]]]:
        """A topic, and a function that waits until so many messages have come and returns them, tests of the topic left out."""
        topic = self.sns.create_topic(Name=f"{self.name}-{name}")["TopicArn"]
        queue = self.sqs.create_queue(QueueName=f"{self.name}-{name}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        received: list[dict[str, Any]] = []

        def receive(count: int, keep_tests: bool = False) -> list[dict[str, Any]]:
            def look() -> list[dict[str, Any]]:
                answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
                for message in answer.get("Messages", []):
                    received.append(json.loads(message["Body"]))
                    self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return [m for m in received if keep_tests or m["eventName"] != "TestNotification"]

            return _eventually(look, lambda messages: len(messages) >= count)

        return topic, receive

    eventually = staticmethod(_eventually)

    def leave(self) -> None:
        """Delete the endpoints, as soon as they can be deleted."""
        for name in self._endpoints:
            _eventually(lambda name=name: self._delete(name))  # type: ignore[misc]

    def _delete(self, name: str) -> bool:
        try:
            self.sagemaker.delete_endpoint(EndpointName=name)
        except self.sagemaker.exceptions.ClientError as error:
            return "Could not find endpoint" in str(error)
        return False


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """The server that the conformance tests share."""
    with LocalAws(images={"trivial": CONTAINER}) as running:
        yield running


def clients_of(aws: LocalAws) -> dict[str, Any]:
    """Clients that neither retry nor check parameters: the server's own answer is what is tested."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=70, parameter_validation=False)
    return {
        name: aws.client(name, config)
        for name in ("s3", "sns", "sqs", "logs", "sagemaker", "sagemaker-runtime")
    }


@pytest.fixture(scope="session")
def container() -> list[str]:
    """The trivial container's command."""
    return CONTAINER


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Wait for something to become true, for tests without a user."""
    return _eventually


@pytest.fixture(scope="session")
def make_clients() -> Callable[[LocalAws], dict[str, Any]]:
    """For tests with a server of their own."""
    return clients_of


@pytest.fixture(scope="session")
def clients(aws: LocalAws) -> dict[str, Any]:
    """One client per service for the whole run: making them takes longer than most tests."""
    return clients_of(aws)


@pytest.fixture(scope="session")
def make_user() -> type[SageMakerUser]:
    """For modules that share one deployment between their tests."""
    return SageMakerUser


@pytest.fixture
def user(clients: dict[str, Any]) -> Iterator[SageMakerUser]:
    """Somebody with fresh names; what they deployed is deleted afterwards."""
    user = SageMakerUser(clients)
    yield user
    user.leave()
