"""Announcements reach a subscribed queue as CloudEvents that can be filtered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import get_session
from cloudevents.core.formats.json import JSONFormat
from moto.server import ThreadedMotoServer

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.announcements.announcer import Announcement, Announcer
from avatar_operator.announcements.sns import (
    PARAMETER_CODES,
    SnsAnnouncer,
    announcement_error,
    to_cloud_event,
    topic_region,
)
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.failures import BackendError
from builders.backend_objects import make_simulated_runtime

REGION = "eu-central-1"
READY = Announcement(
    type="dev.avatars.model.ready.v1alpha1",
    kind=AVATAR_MODEL,
    namespace="team-a",
    name="ann",
    uid="5c47544e-a565-47ff-9053-03c7a70440f2",
    id="7f83b165",
    time=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    data={"reason": "Hosted"},
)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def announcer(aws_url: str) -> Iterator[Announcer]:
    clients = AwsClients(endpoint_url=aws_url)
    yield SnsAnnouncer(clients)
    clients.close()


def runtime_with(topic_arn: str | None) -> AvatarRuntime:
    runtime = make_simulated_runtime().model_dump(by_alias=True, exclude_none=True)
    if topic_arn is not None:
        runtime["spec"]["notifications"] = {"statusTopicARN": topic_arn}
    return AvatarRuntime.model_validate(runtime)


def subscribed(
    aws_url: str, policy: dict[str, Any], suffix: str = "", name: str | None = None
) -> tuple[str, Any]:
    """A topic, and a function that reads a queue which is subscribed to it with a filter policy."""
    sns = boto3.client("sns", region_name=REGION, endpoint_url=aws_url)
    sqs = boto3.client("sqs", region_name=REGION, endpoint_url=aws_url)
    name = name or f"status-{uuid.uuid4().hex}{suffix}"
    fifo = {"FifoTopic": "true"} if suffix else {}
    topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if suffix else {})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps(policy)}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def received() -> list[bytes]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [message["Body"].encode() for message in answer.get("Messages", [])]

    return topic, received


async def test_a_subscriber_gets_the_event_in_structured_json(announcer: Announcer, aws_url: str) -> None:
    topic, received = subscribed(aws_url, {})
    await announcer.announce(runtime_with(topic), READY)
    (body,) = received()
    event = JSONFormat().read(None, body)
    assert event.get_specversion() == "1.0"
    assert event.get_type() == "dev.avatars.model.ready.v1alpha1"
    assert event.get_id() == "7f83b165"
    assert event.get_source() == "/apis/avatars.dev/v1alpha1/namespaces/team-a/avatarmodels/ann"
    assert event.get_subject() == "team-a/ann"
    assert event.get_time() == READY.time
    assert event.get_data() == {
        "object": {"kind": "AvatarModel", "namespace": "team-a", "name": "ann", "uid": READY.uid},
        "reason": "Hosted",
    }


@pytest.mark.parametrize(
    ("policy", "arrives"),
    [
        ({"type": [{"prefix": "dev.avatars.model."}], "namespace": ["team-a"], "name": ["ann"]}, True),
        ({"namespace": ["team-b"]}, False),
    ],
)
async def test_subscribers_filter_by_attributes(
    announcer: Announcer, aws_url: str, policy: dict[str, Any], arrives: bool
) -> None:
    topic, received = subscribed(aws_url, policy)
    await announcer.announce(runtime_with(topic), READY)
    assert bool(received()) is arrives


async def test_a_fifo_topic_drops_what_is_told_twice(announcer: Announcer, aws_url: str) -> None:
    topic, received = subscribed(aws_url, {}, ".fifo")
    for _ in range(2):
        await announcer.announce(runtime_with(topic), READY)
    assert len(received()) == 1


async def test_without_a_topic_nothing_is_told() -> None:
    clients = AwsClients(endpoint_url="http://127.0.0.1:9")
    await SnsAnnouncer(clients).announce(runtime_with(None), READY)
    clients.close()


async def test_a_topic_that_does_not_exist_is_said_to_be_missing(announcer: Announcer) -> None:
    with pytest.raises(BackendError, match="not there") as caught:
        await announcer.announce(runtime_with(f"arn:aws:sns:{REGION}:123456789012:nobody"), READY)
    assert (caught.value.reason, caught.value.retryable) == ("TopicNotFound", True)
    assert "could not announce" in caught.value.in_full


@pytest.mark.parametrize(
    ("code", "status", "text", "reason"),
    [
        ("InvalidParameter", 400, "Invalid parameter: Message too long", "AnnouncementRefused"),
        ("ParameterValueInvalid", 400, "Invalid parameter: type", "AnnouncementRefused"),
        ("ValidationException", 400, "1 validation error", "AnnouncementRefused"),
        ("NotFound", 404, "Topic does not exist", "TopicNotFound"),
        ("AuthorizationError", 403, "not authorized to perform: SNS:Publish", "TopicDenied"),
        ("InvalidParameter", 400, "Invalid parameter: TopicArn", "TopicRefused"),
        ("EndpointDisabled", 400, "Endpoint is disabled", "TopicRefused"),
        ("AWordOfNextYear", 400, "nobody knows", "TopicRefused"),
        ("KMSAccessDenied", 400, "no", "KeyDenied"),
        ("KMSDisabled", 400, "no", "KeyUnusable"),
        ("InvalidSecurity", 403, "no", "CredentialsInvalid"),
        ("Throttled", 429, "no", "Throttled"),
        ("InternalError", 500, "no", "AwsUnavailable"),
    ],
)
def test_what_cannot_be_announced_is_final_only_if_the_announcement_is_at_fault(
    code: str, status: int, text: str, reason: str
) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    error = announcement_error(ClientError(answer, "Publish"), "announce x")
    assert (error.reason, error.retryable) == (reason, reason != "AnnouncementRefused")
    assert error.said.mention(text)


def test_every_error_that_publish_documents_is_known_to_be_about_the_announcement_or_not() -> None:
    operation = get_session().get_service_model("sns").operation_model("Publish")
    codes = {shape.metadata["error"]["code"] for shape in operation.error_shapes}
    about_parameters = {code for code in codes if "Param" in code or "Validation" in code}

    assert len(about_parameters) == 3
    assert about_parameters <= PARAMETER_CODES


def test_what_botocore_itself_refuses_to_send_is_final() -> None:
    error = announcement_error(
        ParamValidationError(report="Invalid type for parameter Message"), "announce x"
    )
    assert (error.reason, error.retryable) == ("AnnouncementRefused", False)


async def test_what_is_no_topic_is_an_error(announcer: Announcer) -> None:
    with pytest.raises(BackendError) as caught:
        await announcer.announce(runtime_with("arn:aws:sqs:us-east-1:123456789012:queue"), READY)
    assert (caught.value.reason, caught.value.retryable) == ("InvalidTopic", True)


async def test_an_event_that_is_too_large_is_an_error(announcer: Announcer, aws_url: str) -> None:
    topic, _ = subscribed(aws_url, {})
    huge = Announcement(**{**vars(READY), "data": {"message": "x" * 300_000}})
    with pytest.raises(BackendError) as caught:
        await announcer.announce(runtime_with(topic), huge)
    assert caught.value.reason == "AnnouncementTooLarge"


def test_the_topics_own_region_is_used() -> None:
    assert topic_region("arn:aws-cn:sns:cn-north-1:123456789012:status") == "cn-north-1"


def test_a_cluster_scoped_object_has_no_namespace_in_its_source() -> None:
    event = json.loads(
        to_cloud_event(Announcement(**{**vars(READY), "kind": AVATAR_RUNTIME, "namespace": ""}))
    )
    assert event["source"] == "/apis/avatars.dev/v1alpha1/avatarruntimes/ann"
    assert event["subject"] == "ann"


async def test_each_namespace_has_a_topic_to_itself_where_its_name_says_so(
    announcer: Announcer, aws_url: str
) -> None:
    mine, received = subscribed(aws_url, {}, name="team-a")
    _, others = subscribed(aws_url, {}, name="team-b")
    runtime = runtime_with(mine.replace("team-a", "{namespace}"))

    await announcer.announce(runtime, READY)
    await announcer.announce(runtime, replace(READY, kind=AVATAR_RUNTIME, namespace="", name="standard"))

    assert len(received()) == 1
    assert others() == []
