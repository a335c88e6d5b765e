"""The account that the demo sets up, on the AWS that it really uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_demo.aws_account import (
    BASE_PREFIX,
    BUCKET,
    AccountResources,
    AwsAccount,
    isolated_environment,
    set_up_account,
)
from avatar_demo.observation import cloud_event
from avatar_demo.report import object_counts
from avatar_workers.base_model.directory_digest import directory_digest
from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsAccount]:
    with LocalAws() as server:
        yield AwsAccount(server.endpoint_url)


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    (directory / "unet").mkdir()
    (directory / "model_index.json").write_text("{}")
    (directory / "unet" / "config.json").write_text("{}")
    return directory


@pytest.fixture(scope="module")
def resources(aws: AwsAccount, base_model: Path) -> AccountResources:
    return set_up_account(aws, base_model, "demo")


def test_the_uploaded_base_is_the_one_that_its_digest_names(
    aws: AwsAccount, resources: AccountResources, base_model: Path, tmp_path: Path
) -> None:
    for entry in aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE_PREFIX)["Contents"]:
        target = tmp_path / entry["Key"].removeprefix(BASE_PREFIX)
        target.parent.mkdir(exist_ok=True)
        aws.s3.download_file(BUCKET, entry["Key"], str(target))
    assert directory_digest(tmp_path) == resources.base_sha256 == directory_digest(base_model)


def test_setting_up_again_changes_nothing_but_removes_files_of_an_older_base(
    aws: AwsAccount, resources: AccountResources, base_model: Path
) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key=f"{BASE_PREFIX}vae/config.json", Body=b"{}")
    before = aws.sns.list_subscriptions()["Subscriptions"]
    assert set_up_account(aws, base_model, "demo") == resources
    assert aws.sns.list_subscriptions()["Subscriptions"] == before
    assert object_counts(aws)["base/"] == 2


def test_the_application_and_the_demo_each_hear_of_their_own_namespace_only(
    aws: AwsAccount, resources: AccountResources
) -> None:
    for namespace in ("demo", "somebody-else"):
        topic = aws.sns.create_topic(Name=f"avatars-status-{namespace}")["TopicArn"]
        event = {
            "type": "dev.avatars.model.ready.v1alpha1",
            "time": "2026-01-01T00:00:00Z",
            "subject": f"{namespace}/ann",
            "data": {"object": {"uid": "u"}},
        }
        aws.sns.publish(
            TopicArn=topic,
            Message=json.dumps(event),
            MessageAttributes={"namespace": {"DataType": "String", "StringValue": namespace}},
        )
    # The demo takes off its queue what it reads; a user who then reads the application's finds everything there.
    for queue_url in (resources.narrators_queue_url, resources.application_queue_url):
        answer = aws.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        assert [cloud_event(message["Body"]).subject for message in answer["Messages"]] == ["demo/ann"]


def test_processes_see_nobodys_cloud_or_cluster_but_the_demos() -> None:
    developer = {
        "PATH": "/bin",
        "KUBECONFIG": "/production",
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere",
        "NO_PROXY": "internal",
    }
    environment = isolated_environment("http://127.0.0.1:4566", developer)
    assert environment["PATH"] == "/bin"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["NO_PROXY"] == "internal,127.0.0.1"
    assert not {"KUBECONFIG", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(environment)
