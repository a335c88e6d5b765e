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
    Ignored,
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
        "[" * 100_000,
        " " * (MAX_MESSAGE_BYTES + 1),
    ],
    ids=range(11),
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
