"""Whatever arrives on the queue is answered, and only what is ours becomes a hint."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avatar_api.documents.training import ObjectIdentity, TrainingProgressMessage
from avatar_operator.ingest.messages import (
    MAX_MESSAGE_BYTES,
    AttemptHint,
    ChangedObject,
    Ignored,
    PhotosHint,
    ProgressHint,
    Unparsable,
    parse_message,
)
from avatar_operator.names import inference_id

OURS = inference_id("5c47544e-a565-47ff-9053-03c7a70440f2", 1, 2)
PROGRESS = TrainingProgressMessage(
    inference_id=OURS,
    model=ObjectIdentity(namespace="team-a", name="ann", uid="5c47544e-a565-47ff-9053-03c7a70440f2"),
    stage="Training",
    step=100,
    total_steps=800,
    sequence=7,
    time=datetime(2026, 11, 22, tzinfo=UTC),
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
LOOKALIKES = st.fixed_dictionaries(
    {},
    optional={
        "Type": st.sampled_from(["Notification", "SubscriptionConfirmation"]) | JSON_VALUES,
        "Message": st.text() | JSON_VALUES | st.just(json.dumps({"eventName": "InferenceResult"})),
        "eventName": st.sampled_from(["InferenceResult", "TestNotification"]) | JSON_VALUES,
        "inferenceId": st.just(OURS) | JSON_VALUES,
        "schemaVersion": st.just(PROGRESS.schema_version) | JSON_VALUES,
        "model": JSON_VALUES,
        "sequence": st.integers() | JSON_VALUES,
        "time": st.integers() | st.floats() | st.text(),
        "step": st.integers(),
        "Records": st.lists(
            st.fixed_dictionaries(
                {"s3": st.fixed_dictionaries({"bucket": JSON_VALUES, "object": JSON_VALUES}) | JSON_VALUES}
            )
        ),
        "source": st.just("aws.s3"),
        "detail": st.fixed_dictionaries({"bucket": JSON_VALUES, "object": JSON_VALUES}) | JSON_VALUES,
    },
)


def notification(**changes: Any) -> dict[str, Any]:
    """A notification as captured from SageMaker."""
    return {
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-22T12:00:00.000Z",
        "receivedTime": "2026-11-22T11:30:00.000Z",
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": "avatars", "inputLocation": "s3://b/k"},
        "responseParameters": {"contentType": "application/json", "outputLocation": "s3://b/o.out"},
        "inferenceId": OURS,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
        **changes,
    }


def enveloped(document: object) -> str:
    """What SQS carries for SNS without RawMessageDelivery."""
    return json.dumps(
        {"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:t", "Message": json.dumps(document)}
    )


def upload(*keys: str) -> dict[str, Any]:
    """What a bucket sends of objects that were uploaded to it: the keys are encoded as in a form."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-22T12:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "photos",
                    "bucket": {"name": "avatars", "arn": "arn:aws:s3:::avatars"},
                    "object": {"key": key, "size": 1024, "eTag": "d41d8cd98f00b204e9800998ecf8427e"},
                },
            }
            for key in keys
        ]
    }


UPLOAD_BY_EVENT_BRIDGE = {
    "version": "0",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "detail": {"version": "0", "bucket": {"name": "avatars"}, "object": {"key": "photos/demo/ann/a+b 1.jpg"}},
}
"""The same by way of EventBridge, which leaves keys as they are."""


@pytest.mark.parametrize("wrap", [json.dumps, enveloped], ids=["raw", "enveloped"])
@pytest.mark.parametrize(
    "document",
    [notification(), notification(invocationStatus="Failed", failureReason="ClientError: no")],
    ids=["success", "failure"],
)
def test_an_inference_result_is_a_hint_about_its_attempt(wrap: Any, document: dict[str, Any]) -> None:
    assert parse_message(wrap(document)) == AttemptHint(OURS)


def test_progress_is_passed_on_whole() -> None:
    assert parse_message(json.dumps(PROGRESS.to_wire())) == ProgressHint(PROGRESS)


@pytest.mark.parametrize("wrap", [json.dumps, enveloped], ids=["raw", "enveloped"])
def test_an_upload_is_a_hint_about_photos(wrap: Any) -> None:
    message = parse_message(wrap(upload("photos/demo/ann/a%2Bb+1.jpg", "photos/demo/ann/%C3%A4.jpg")))
    assert message == PhotosHint(
        (
            ChangedObject("avatars", "photos/demo/ann/a+b 1.jpg"),
            ChangedObject("avatars", "photos/demo/ann/\u00e4.jpg"),
        )
    )


@pytest.mark.parametrize("wrap", [json.dumps, enveloped], ids=["raw", "enveloped"])
def test_an_upload_told_by_event_bridge_is_the_same_hint(wrap: Any) -> None:
    assert parse_message(wrap(UPLOAD_BY_EVENT_BRIDGE)) == PhotosHint(
        (ChangedObject("avatars", "photos/demo/ann/a+b 1.jpg"),)
    )


def test_the_test_event_of_a_bucket_is_ignored() -> None:
    document = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "avatars"}
    assert parse_message(json.dumps(document)) == Ignored("TestEvent")


@pytest.mark.parametrize(
    "document",
    [
        {"Records": []},
        {"Records": "s3"},
        {"Records": [{"s3": {"bucket": {"name": "avatars"}}}]},
        {"Records": [{"s3": {"bucket": {"name": ""}, "object": {"key": "k"}}}]},
        {"Records": [{"eventSource": "aws:ses"}]},
        {"source": "aws.s3", "detail": {"bucket": {"name": "avatars"}, "object": {"key": 7}}},
    ],
    ids=range(6),
)
def test_an_event_that_names_no_object_says_so(document: dict[str, Any]) -> None:
    message = parse_message(json.dumps(document))
    assert message == Unparsable("an S3 event that names no object")


def test_sagemakers_test_notification_is_ignored() -> None:
    document = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
    assert parse_message(enveloped(document)) == Ignored("TestNotification")


@pytest.mark.parametrize(
    "document",
    [notification(inferenceId="somebody-else-s"), {**PROGRESS.to_wire(), "inferenceId": "somebody-else-s"}],
    ids=["result", "progress"],
)
def test_somebody_elses_inference_is_ignored(document: dict[str, Any]) -> None:
    assert parse_message(json.dumps(document)) == Ignored("ForeignInference")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "{}",
        b"\xff\xfe",
        enveloped([]),
        json.dumps({"Type": "Notification", "Message": 7}),
        json.dumps(notification(inferenceId=None)),
        json.dumps({**PROGRESS.to_wire(), "stage": "Sleeping"}),
        json.dumps({**PROGRESS.to_wire(), "totalSteps": 10**30}),
        json.dumps({**PROGRESS.to_wire(), "step": True}),
        json.dumps(PROGRESS.to_wire()).replace('"step"', '"step": 1, "step"'),
        "[" * 100_000,
        " " * (MAX_MESSAGE_BYTES + 1),
    ],
    ids=range(14),
)
def test_what_cannot_be_read_says_why(body: str | bytes) -> None:
    message = parse_message(body)
    assert isinstance(message, Unparsable)
    assert message.reason


@given(st.text() | st.binary())
def test_no_bytes_are_too_strange(body: str | bytes) -> None:
    assert isinstance(parse_message(body), Unparsable | Ignored)


@given(LOOKALIKES | JSON_VALUES)
@example({**PROGRESS.to_wire(), "time": 1e300})
@example({**PROGRESS.to_wire(), "time": -1})
def test_no_document_is_too_strange(document: object) -> None:
    for body in (json.dumps(document), enveloped(document)):
        message = parse_message(body)
        if isinstance(message, AttemptHint):
            assert message.inference_id == OURS
