"""S3, SNS, SQS, IAM and CloudWatch answer through us exactly as on plain moto server: the same calls are sent to both."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws, environment_without_aws

_VOLATILE_HEADERS = {
    "date",
    "connection",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amz-id-2",
    "transfer-encoding",
}


@pytest.fixture(scope="module")
def plain_moto() -> Iterator[str]:
    """moto's own server in a process of its own."""
    program = (
        "from moto.server import ThreadedMotoServer as S; import sys; s = S('127.0.0.1', 0, verbose=False); s.start(); "
        "print(s.get_host_and_port()[1], flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment_without_aws(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.stdin.close()
    process.wait(timeout=30)


def s3_objects(client: Callable[[str], Any]) -> list[Any]:
    s3 = client("s3")
    said = [s3.create_bucket(Bucket="differential")]
    said.append(
        s3.put_object(Bucket="differential", Key="a b/ü.txt", Body=b"hello", Metadata={"under_score": "kept"})
    )
    got = s3.get_object(Bucket="differential", Key="a b/ü.txt")
    said += [got.pop("Body").read(), got, s3.head_object(Bucket="differential", Key="a b/ü.txt")]
    said.append(s3.get_object(Bucket="differential", Key="a b/ü.txt", Range="bytes=1-2")["Body"].read())
    said.append(s3.put_object(Bucket="differential", Key="big", Body=b"x" * 3_000_000))
    said.append(s3.list_objects_v2(Bucket="differential"))
    said.append(refusal(lambda: s3.get_object(Bucket="differential", Key="nothing")))
    said.append(refusal(lambda: s3.put_object(Bucket="differential", Key="big", Body=b"", IfNoneMatch="*")))
    said.append(s3.delete_object(Bucket="differential", Key="big"))
    return said


def queues_and_topics(client: Callable[[str], Any]) -> list[Any]:
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="differential")["QueueUrl"]
    topic = sns.create_topic(Name="differential")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    said = [topic, arn, sns.publish(TopicArn=topic, Message="hello", MessageAttributes=ATTRIBUTES)]
    said.append(sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"][0]["Body"])
    said.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1))
    said.append(refusal(lambda: sqs.get_queue_url(QueueName="nothing")))
    said.append(refusal(lambda: sns.publish(TopicArn=topic + "-nothing", Message="x")))
    return said


def records(client: Callable[[str], Any]) -> list[Any]:
    iam, watch, sagemaker = client("iam"), client("cloudwatch"), client("sagemaker")
    said = [
        iam.create_user(UserName="differential")["User"]["UserName"],
        refusal(lambda: iam.get_user(UserName="nobody")),
    ]
    data = {"MetricName": "m", "Value": 1.0}
    said.append(watch.put_metric_data(Namespace="differential", MetricData=[data]))
    said.append(watch.list_metrics(Namespace="differential")["Metrics"])
    said.append(sagemaker.create_experiment(ExperimentName="differential"))
    said.append(refusal(lambda: sagemaker.describe_trial(TrialName="nothing")))
    said.append(refusal(lambda: sagemaker.describe_model(ModelName="nothing")))
    return said


ATTRIBUTES = {"kind": {"DataType": "String", "StringValue": "x"}}


@pytest.mark.parametrize("conversation", [s3_objects, queues_and_topics, records])
def test_the_answers_equal_those_of_plain_moto(
    emulator: LocalAws, plain_moto: str, conversation: Callable[[Callable[[str], Any]], list[Any]]
) -> None:
    ours = conversation(lambda service: emulator.client(service, Config(retries={"total_max_attempts": 1})))
    theirs = conversation(lambda service: plain_client(service, plain_moto))
    assert [comparable(answer) for answer in ours] == [comparable(answer) for answer in theirs]


def plain_client(service: str, url: str) -> Any:
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def refusal(call: Callable[[], Any]) -> Any:
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response


def comparable(answer: Any) -> Any:
    """The answer without what differs between any two servers: addresses, times, random ids."""
    if isinstance(answer, dict):
        return {
            key: comparable(value)
            for key, value in answer.items()
            if key.lower() not in _VOLATILE_HEADERS | {"requestid", "hostid"}
        }
    if isinstance(answer, list):
        return [comparable(item) for item in answer]
    if hasattr(answer, "isoformat"):
        return "a time"
    if isinstance(answer, str):
        text = re.sub(r"127\.0\.0\.1:\d+", "server", answer)
        text = re.sub(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", "a time", text)
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id", text)
    return answer
