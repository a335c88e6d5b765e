"""The AWS account that the platform team would have made with Terraform: bucket, topics, queues, base model.

Every call names its endpoint and its dummy credentials, and the demo's processes see no other AWS settings: whatever
account a developer is logged in to, the demo cannot reach it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from avatar_workers.base_model.directory_digest import directory_digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
BUCKET = "avatars"
BASE_PREFIX = "base/tiny-people/"
OPERATOR_QUEUE = "avatars-operator"
APPLICATION_QUEUE = "my-app"
NARRATORS_QUEUE = "avatars-demo"
"""The demo's own, so that what it reads is still there for whoever reads the application's."""
SUCCEEDED_TOPIC = "avatars-training-succeeded"
FAILED_TOPIC = "avatars-training-failed"
STATUS_TOPIC = "avatars-status-{namespace}"
_ACCESS_KEY = "demo"


def aws_environment(url: str) -> dict[str, str]:
    """The settings that lead every AWS tool and SDK to `url`, and nowhere else."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _ACCESS_KEY,
    }


def isolated_environment(url: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment for the demo's processes: the given one without anybody's cloud or cluster, plus the demo's AWS."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and name != "KUBECONFIG"
    }
    local = ",".join(filter(None, (environment.get("NO_PROXY") or environment.get("no_proxy"), "127.0.0.1")))
    return {
        **kept,
        **aws_environment(url),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": local,
        "no_proxy": local,
    }


def leave_other_clouds() -> None:
    """Whatever account and cluster this process's environment is logged in to: from here on there is only the demo's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(isolated_environment("http://127.0.0.1:9"))


class AwsAccount:
    """boto3 clients of the demo's account, made when first used. For one thread.

    Args:
        url: the endpoint of every service.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        client: SNSClient = self._client("sns")
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        client: SQSClient = self._client("sqs")
        return client

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        """SageMaker's control plane."""
        client: SageMakerClient = self._client("sagemaker")
        return client

    @cached_property
    def sagemaker_runtime(self) -> SageMakerRuntimeClient:
        """SageMaker's data plane."""
        client: SageMakerRuntimeClient = self._client("sagemaker-runtime")
        return client

    def _client(self, service: str) -> Any:
        return boto3.session.Session().client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=self._url,
            aws_access_key_id=_ACCESS_KEY,
            aws_secret_access_key=_ACCESS_KEY,
            config=Config(proxies={}, connect_timeout=5, read_timeout=70, retries={"total_max_attempts": 2}),
        )


@dataclass(frozen=True)
class AccountResources:
    """What the example's placeholders and the end of the demo need to know."""

    account_id: str
    operator_queue_url: str
    application_queue_url: str
    narrators_queue_url: str
    base_sha256: str

    def placeholders(self) -> dict[str, str]:
        """What stands for the placeholders of the example's manifests."""
        return {
            "AWS_ACCOUNT_ID": self.account_id,
            "AVATARS_QUEUE_URL": self.operator_queue_url,
            "BASE_MODEL_SHA256": self.base_sha256,
        }


def set_up_account(aws: AwsAccount, base_model: Path, namespace: str) -> AccountResources:
    """Make everything that is missing; what is there stays.

    Args:
        aws: the account.
        base_model: directory of the base model, uploaded as it is.
        namespace: the Kubernetes namespace whose events the application's queue and the demo's own receive.

    Raises:
        botocore's errors, and BaseModelRefused if the directory is no base model.
    """
    base_sha256 = directory_digest(base_model)
    aws.s3.create_bucket(Bucket=BUCKET)
    _upload_base(aws, base_model)
    operator_queue = aws.sqs.create_queue(QueueName=OPERATOR_QUEUE)["QueueUrl"]
    application_queue = aws.sqs.create_queue(QueueName=APPLICATION_QUEUE)["QueueUrl"]
    narrators_queue = aws.sqs.create_queue(QueueName=NARRATORS_QUEUE)["QueueUrl"]
    for topic in (SUCCEEDED_TOPIC, FAILED_TOPIC):
        _subscribe(aws, topic, operator_queue, {})
    own_topic = STATUS_TOPIC.replace("{namespace}", namespace)
    for queue in (application_queue, narrators_queue):
        status_topic = _subscribe(aws, own_topic, queue, {"RawMessageDelivery": "true"})
    return AccountResources(
        account_id=status_topic.split(":")[4],
        operator_queue_url=operator_queue,
        application_queue_url=application_queue,
        narrators_queue_url=narrators_queue,
        base_sha256=base_sha256,
    )


def _upload_base(aws: AwsAccount, directory: Path) -> None:
    # A file of an older base would change the digest of what workers download.
    wanted = {f"{BASE_PREFIX}{path.relative_to(directory).as_posix()}": path for path in _files(directory)}
    present = aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE_PREFIX).get("Contents", [])
    for entry in present:
        if entry["Key"] not in wanted:
            aws.s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    for key, path in wanted.items():
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _subscribe(aws: AwsAccount, topic_name: str, queue_url: str, attributes: Mapping[str, str]) -> str:
    topic = aws.sns.create_topic(Name=topic_name)["TopicArn"]
    answer = aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    aws.sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=answer["Attributes"]["QueueArn"],
        Attributes=dict(attributes),
        ReturnSubscriptionArn=True,
    )
    return topic
