"""With a data directory, what was acknowledged survives `kill -9`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conformance.sagemaker_user import SageMakerUser
from conformance.target import Target
from sagemaker_local.testing import LocalAws

DEPLOYMENT = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
    }
}


@dataclass(frozen=True)
class Restarted:
    """A user whose server was killed and started again with the same directory.

    Attributes:
        user: speaks with the new server; `before` did with the old one.
        waiting: answers of invocations that were queued, in their order.
        running: the answer of the one that ran.
    """

    server: LocalAws
    user: SageMakerUser
    before: SageMakerUser
    serving: str
    idle: str
    deleted: str
    waiting: list[dict[str, Any]]
    running: dict[str, Any]
    access_key: str
    version: str
    data_dir: Path


@pytest.fixture(scope="module")
def restarted(
    tmp_path_factory: pytest.TempPathFactory, container: list[str], make_target: Any
) -> Iterator[Restarted]:
    data_dir = tmp_path_factory.mktemp("restart")
    with LocalAws(images={"trivial": container}, data_dir=data_dir) as first:
        before = SageMakerUser(make_target(first))
        before.s3.put_bucket_versioning(Bucket=before.bucket, VersioningConfiguration={"Status": "Enabled"})
        version = before.s3.put_object(Bucket=before.bucket, Key="kept", Body=b"old", Metadata={"a": "b"})
        before.s3.put_object(Bucket=before.bucket, Key="kept", Body=b"new" * 1_000_000)
        before.s3.put_object(Bucket=before.bucket, Key="removed", Body=b"x")
        before.s3.delete_object(Bucket=before.bucket, Key="removed")
        topic, _ = before.topic_with_queue("events")
        before.sns.publish(TopicArn=topic, Message='{"eventName": "told"}')
        held = before.sqs.create_queue(QueueName=f"{before.name}-held")["QueueUrl"]
        first.add_fault(kind="delivery", action="reorder", seconds=3_600, queue="*-held")
        before.sqs.send_message(QueueUrl=held, MessageBody="held back")
        iam = first.client("iam")
        iam.create_user(UserName="kept")
        access_key = iam.create_access_key(UserName="kept")["AccessKey"]["AccessKeyId"]
        serving = before.endpoint(
            before.config(before.model(Environment={"VERSION": "1"})), DeploymentConfig=DEPLOYMENT
        )
        before.sagemaker.delete_endpoint_config(
            EndpointConfigName=before.described(serving)["EndpointConfigName"]
        )
        deleted = before.realtime_endpoint()
        before.sagemaker.delete_endpoint(EndpointName=deleted)
        before.eventually(lambda: before._gone(deleted))
        idle = before.async_endpoint()
        before.scale(idle, 0)
        waiting = [before.invoke_async(idle, {"tell": "turn"}) for _ in range(3)]
        busy = before.async_endpoint()
        # The server knows that it runs before its container has it.
        begun = data_dir.with_name("begun")
        running = before.invoke_async(busy, {"touch": str(begun), "sleep": 3600})
        before.eventually(begun.exists)
        first.kill()
    with LocalAws(images={"trivial": container}, data_dir=data_dir) as second:
        user = SageMakerUser(make_target(second))
        yield Restarted(
            second,
            user,
            before,
            serving,
            idle,
            deleted,
            waiting,
            running,
            access_key,
            version["VersionId"],
            data_dir,
        )


def test_objects_are_there_with_their_versions_and_metadata(restarted: Restarted) -> None:
    s3, bucket = restarted.user.s3, restarted.before.bucket
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"new" * 1_000_000
    old = s3.get_object(Bucket=bucket, Key="kept", VersionId=restarted.version)
    assert (old["Body"].read(), old["Metadata"]) == (b"old", {"a": "b"})


def test_what_was_deleted_stays_deleted(restarted: Restarted) -> None:
    assert restarted.user.read(f"s3://{restarted.before.bucket}/removed") is None
    with pytest.raises(ClientError, match="Could not find endpoint"):
        restarted.user.described(restarted.deleted)


def test_messages_wait_in_their_queues_and_subscriptions_hold(restarted: Restarted) -> None:
    sqs = restarted.user.sqs
    queue = sqs.get_queue_url(QueueName=f"{restarted.before.name}-events")["QueueUrl"]
    topic = restarted.user.sns.create_topic(Name=f"{restarted.before.name}-events")["TopicArn"]
    restarted.user.sns.publish(TopicArn=topic, Message='{"eventName": "told again"}')
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(json.loads(message["Body"])["eventName"] for message in received) == ["told", "told again"]


def test_a_message_that_a_fault_held_back_is_still_in_its_queue(restarted: Restarted) -> None:
    sqs = restarted.user.sqs
    queue = sqs.get_queue_url(QueueName=f"{restarted.before.name}-held")["QueueUrl"]
    delayed = "ApproximateNumberOfMessagesDelayed"
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[delayed])
    assert answer["Attributes"] == {delayed: "1"}


def test_identities_and_their_keys_are_there(restarted: Restarted) -> None:
    iam = restarted.server.client("iam")
    keys = iam.list_access_keys(UserName="kept")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [restarted.access_key]


def test_an_endpoint_is_in_service_and_serves_again(restarted: Restarted) -> None:
    described = restarted.user.described(restarted.serving)
    assert (described["EndpointStatus"], described["LastDeploymentConfig"]) == ("InService", DEPLOYMENT)

    def version() -> str:
        try:
            answer = restarted.user.runtime.invoke_endpoint(
                EndpointName=restarted.serving, Body=b'{"tell": "environment"}'
            )
        except ClientError as not_yet:
            assert not_yet.response["Error"]["Code"] == "ServiceUnavailable"
            return ""
        return str(json.loads(answer["Body"].read())["VERSION"])

    assert restarted.user.eventually(version) == "1"


def test_what_was_queued_is_served_in_its_order(restarted: Restarted) -> None:
    described = restarted.user.described(restarted.idle)
    assert described["AsyncInferenceConfig"] == restarted.before.async_config()
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 0
    restarted.user.scale(restarted.idle, 1)
    turns = [
        json.loads(restarted.user.await_object(answer["OutputLocation"])["Body"])["number"]
        for answer in restarted.waiting
    ]
    assert turns == [1, 2, 3]


def test_nothing_is_recorded_of_what_has_ended(restarted: Restarted) -> None:
    restarted.user.scale(restarted.idle, 1)
    records = restarted.data_dir / "state" / "invocations"
    restarted.user.eventually(lambda: not [path for path in records.rglob("*") if path.is_file()])


def test_what_was_running_fails_as_if_its_container_had_died(restarted: Restarted) -> None:
    failure = restarted.user.await_object(restarted.running["FailureLocation"])
    assert failure["Body"].startswith(b"Amazon SageMaker could not get a response from the ")
    assert restarted.user.read(restarted.running["OutputLocation"]) is None


def test_a_directory_in_use_is_refused(restarted: Restarted, container: list[str]) -> None:
    with (
        pytest.raises(RuntimeError, match="is in use by another sagemaker-local"),
        LocalAws(images={"trivial": container}, data_dir=restarted.data_dir),
    ):
        pass


def test_a_graceful_end_is_no_end_of_endpoints(
    tmp_path: Path, container: list[str], make_target: Any
) -> None:
    with LocalAws(images={"trivial": container}, data_dir=tmp_path) as first:
        name = SageMakerUser(make_target(first)).realtime_endpoint()
    with LocalAws(images={"trivial": container}, data_dir=tmp_path) as second:
        target: Target = make_target(second)
        described = target.clients["sagemaker"].describe_endpoint(EndpointName=name)
        assert described["EndpointStatus"] == "InService"
