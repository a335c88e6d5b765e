"""Somebody who deploys endpoints and calls them: the few steps that every test of an endpoint repeats."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from conformance.target import Target

T = TypeVar("T")


class Gate:
    """Holds containers back until it is opened, so that a test can look at what is not ready yet.

    On a machine of our own it is a file, and holds however slow the machine is. On AWS, where starting takes minutes anyway, the
    container starts a minute late, or loads a model in a minute and a half.

    Attributes:
        environment: for containers that shall not start.
        load_environment: for containers that shall start, and not load their models.
    """

    def __init__(self, disposable: bool) -> None:
        self._disposable = disposable
        self._path = Path(tempfile.gettempdir(), f"gate-{uuid.uuid4().hex}")
        self._reached = self._path.with_name(f"{self._path.name}.reached")
        self.environment = {"START_GATE": str(self._path)} if disposable else {"START_SECONDS": "60"}
        self.load_environment = {"LOAD_GATE": str(self._path)} if disposable else {"LOAD_SECONDS": "90"}

    def reached(self) -> bool:
        """Whether a load waits here; on AWS nobody can tell."""
        return self._reached.exists() or not self._disposable

    def open(self) -> None:
        self._path.touch()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
        self._reached.unlink(missing_ok=True)


class SageMakerUser:
    """A user with names that nobody else uses."""

    def __init__(self, target: Target) -> None:
        self.target = target
        clients = target.clients
        self.s3, self.sns, self.sqs, self.logs = (clients[name] for name in ("s3", "sns", "sqs", "logs"))
        self.cloudwatch, self.autoscaling = clients["cloudwatch"], clients["application-autoscaling"]
        self.sagemaker, self.runtime = clients["sagemaker"], clients["sagemaker-runtime"]
        self.name = f"{target.prefix}-{uuid.uuid4().hex[:12]}"
        self.bucket = f"{self.name}-bucket"
        place = {} if target.region == "us-east-1" else {"LocationConstraint": target.region}
        self.s3.create_bucket(Bucket=self.bucket, **({"CreateBucketConfiguration": place} if place else {}))
        self._left = False
        self._hurried = False
        self._gates: list[Gate] = []
        self._endpoints: list[str] = []
        self._configs: list[str] = []
        self._models: list[str] = []
        self._topics: list[str] = []
        self._queues: list[str] = []

    def hurry(self, speed: float) -> None:
        """Let AWS's long clocks run faster, where that can be had, for waits that begin before the user leaves."""
        self._hurried = True
        self.target.hurry(speed)

    def gate(self) -> Gate:
        """A gate for containers; it is open when the user leaves."""
        self._gates.append(Gate(self.target.disposable))
        return self._gates[-1]

    def model(self, name: str | None = None, **container: Any) -> str:
        """Create a model of the trivial container."""
        name = name or f"{self.name}-model-{uuid.uuid4().hex[:6]}"
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": self.target.image, **container},
            ExecutionRoleArn=self.target.role,
        )
        self._models.append(name)
        return name

    def config(self, model: str, asynchronous: dict[str, Any] | None = None, **variant: Any) -> str:
        """Create an endpoint configuration with one variant."""
        return self.config_of([self.variant(model, **variant)], asynchronous)

    def variant(self, model: str, **variant: Any) -> dict[str, Any]:
        """A production variant of one instance."""
        return {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": self.target.instance_type,
            "InitialInstanceCount": 1,
            **variant,
        }

    def config_of(self, variants: list[dict[str, Any]], asynchronous: dict[str, Any] | None = None) -> str:
        """Create an endpoint configuration with these variants."""
        name = f"{self.name}-config-{len(self._configs) + 1}"
        extra = {"AsyncInferenceConfig": asynchronous} if asynchronous else {}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **extra)
        self._configs.append(name)
        return name

    def endpoint(self, config: str, status: str | None = "InService", **more: Any) -> str:
        """Create an endpoint and, unless it is None, wait for a status."""
        name = f"{self.name}-{len(self._endpoints)}"
        self._endpoints.append(name)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        if status is not None:
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

    def scale(self, endpoint: str, count: int) -> None:
        """Change the number of instances and wait until the endpoint has settled."""
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
        )
        self.await_status(endpoint, "InService")

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
        return self.eventually(
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

    def invoke_model(self, endpoint: str, target_model: str, body: bytes = b"?") -> dict[str, Any]:
        """Invoke one model of a multi-model endpoint as AWS's documentation advises: again while it is not ready."""
        deadline = time.monotonic() + self.target.patience
        while True:
            try:
                answer = self.runtime.invoke_endpoint(
                    EndpointName=endpoint, TargetModel=target_model, Body=body
                )
            except self.runtime.exceptions.ModelNotReadyException:
                assert time.monotonic() < deadline, f"{target_model} never became ready"
                continue
            told: dict[str, Any] = json.loads(answer["Body"].read())
            return told

    def read(self, location: str) -> dict[str, Any] | None:
        """The object at an s3:// location with its body read, or None."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            found = dict(self.s3.get_object(Bucket=bucket, Key=key))
        except self.s3.exceptions.NoSuchKey:
            return None
        found["Body"] = found["Body"].read()
        return found

    def datapoints(
        self,
        metric: str,
        statistics: Sequence[str],
        dimensions: Mapping[str, str],
        namespace: str = "AWS/SageMaker",
        period: int = 86_400,
    ) -> list[dict[str, Any]]:
        """What CloudWatch has of a metric over the last hours."""
        now = datetime.now(UTC)
        points: list[dict[str, Any]] = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=3),
            EndTime=now + timedelta(minutes=1),
            Period=period,
            Statistics=list(statistics),
        )["Datapoints"]
        return points

    def await_object(self, location: str) -> dict[str, Any]:
        """Wait for an object."""
        found = self.eventually(lambda: self.read(location), lambda found: found is not None)
        assert found is not None
        return found

    def topic_with_queue(
        self, name: str, raw: bool = True
    ) -> tuple[str, Callable[..., list[dict[str, Any]]]]:
        """A topic, and a function that waits until so many messages have come and returns them, tests of the topic left out.

        Without `raw`, messages come in SNS's envelope, tests included.
        """
        topic = self.sns.create_topic(Name=f"{self.name}-{name}")["TopicArn"]
        self._topics.append(topic)
        may_send = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": "*",
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
                }
            ],
        }
        queue = self.sqs.create_queue(
            QueueName=f"{self.name}-{name}", Attributes={"Policy": json.dumps(may_send)}
        )["QueueUrl"]
        self._queues.append(queue)
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true" if raw else "false"},
        )
        received: list[dict[str, Any]] = []

        def receive(count: int, keep_tests: bool = False) -> list[dict[str, Any]]:
            def look() -> list[dict[str, Any]]:
                answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
                for message in answer.get("Messages", []):
                    received.append(json.loads(message["Body"]))
                    self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return [m for m in received if keep_tests or m.get("eventName") != "TestNotification"]

            return self.eventually(look, lambda messages: len(messages) >= count)

        return topic, receive

    def eventually(self, observe: Callable[[], T], wanted: Callable[[T], bool] = bool) -> T:
        """Observe until it is as wanted; fails the test when that never happens."""
        return eventually(observe, wanted, self.target.patience, self.target.pause)

    def leave(self) -> None:
        """Delete the endpoints, as soon as they can be deleted; in an account that stays, everything else too. Once is
        enough.
        """
        if self._left:
            return
        self._left = True
        if self._hurried:
            self.target.hurry(1)
        for gate in self._gates:
            gate.open()
        for name in self._endpoints:
            self.eventually(lambda name=name: self._gone(name))  # type: ignore[misc]
        for gate in self._gates:
            gate.remove()
        if not self.target.disposable:
            self._clear_up()

    def _gone(self, name: str) -> bool:
        try:
            self.sagemaker.delete_endpoint(EndpointName=name)
        except ClientError as error:
            return "Could not find" in str(error)
        return False

    def _clear_up(self) -> None:
        for page in self.autoscaling.get_paginator("describe_scalable_targets").paginate(
            ServiceNamespace="sagemaker"
        ):
            for scaled in page["ScalableTargets"]:
                if scaled["ResourceId"].startswith(f"endpoint/{self.name}-"):
                    self.autoscaling.deregister_scalable_target(
                        **{
                            name: scaled[name]
                            for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")
                        }
                    )
        for page in self.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=self.name):
            self.cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"] for alarm in page["MetricAlarms"]])
        for name in self._configs:
            with suppress(ClientError):
                self.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        for name in self._models:
            with suppress(ClientError):
                self.sagemaker.delete_model(ModelName=name)
        for topic in self._topics:
            for page in self.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
                for subscription in page["Subscriptions"]:
                    self.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
            self.sns.delete_topic(TopicArn=topic)
        for queue in self._queues:
            self.sqs.delete_queue(QueueUrl=queue)
        for name in self._endpoints:
            with suppress(ClientError):
                self.logs.delete_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for found in page.get("Contents", []):
                self.s3.delete_object(Bucket=self.bucket, Key=found["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)


def eventually(
    observe: Callable[[], T],
    wanted: Callable[[T], bool] = bool,
    patience: float = 60.0,
    pause: float = 0.03,
) -> T:
    """Observe until it is as wanted; fails the test when that has not happened after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        seen = observe()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, f"never came: last seen {seen!r}"
        time.sleep(pause)
