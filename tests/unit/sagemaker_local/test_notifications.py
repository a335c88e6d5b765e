"""What subscribers are told of an invocation's end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome, Success
from sagemaker_local.async_inference.notifications import notification
from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.specs import AsyncSpec
from sagemaker_local.publishing import MAX_MESSAGE_BYTES, encoded
from sagemaker_local.s3_objects import S3Location

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def told(outcome: Outcome) -> dict[str, object]:
    topics = {"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]}
    invocation = Invocation(
        scope=Scope("123456789012", "us-east-1", "test"),
        endpoint="e",
        inference_id="i",
        parameters={},
        spec=AsyncSpec.read({"OutputConfig": {"S3OutputPath": "s3://b/out", "NotificationConfig": topics}}),
        output=S3Location("b", "out/x.out"),
        failure=None,
        received=NOW,
        inline=None,
    )
    return notification(invocation, outcome, NOW)


@given(pattern=st.binary(min_size=1, max_size=8), size=st.integers(0, 140_000), fails=st.booleans())
def test_no_response_makes_a_notification_longer_than_sns_takes(
    pattern: bytes, size: int, fails: bool
) -> None:
    body = (pattern * (size // len(pattern) + 1))[:size]
    outcome = Failure("it failed", body, None) if fails else Success(body, None)
    assert len(encoded(told(outcome))) <= MAX_MESSAGE_BYTES


@pytest.mark.parametrize("body", [b"x" * 131_072, b'"' * 130_000])
def test_a_response_that_fits_is_included(body: bytes) -> None:
    assert told(Failure("it failed", body, None))["responseBody"] == {"content": body.decode()}
