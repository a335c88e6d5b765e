"""What SNS subscribers of an asynchronous endpoint receive.

Success follows AWS's documented sample ("Check prediction results"); failure follows captured events, since AWS shows none: the
same fields with `invocationStatus: Failed` and a top-level `failureReason`. CustomAttributes are in neither; consumers must
correlate by `inferenceId`. The subject is null. With IncludeInferenceResponseIn the response travels along, up to 128 KB: in
base64 on success, as text on failure. Text that JSON has to escape can outgrow what SNS takes; it stays behind then, since news
without the response is better than none.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.publishing import MAX_MESSAGE_BYTES, encoded

MAX_EMBEDDED_BYTES = 128 * 1024
SUCCESS_TOPICS = "SUCCESS_NOTIFICATION_TOPIC"
ERROR_TOPICS = "ERROR_NOTIFICATION_TOPIC"
TEST_NOTIFICATION = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}


def notification(invocation: Invocation, outcome: Outcome, finished: datetime) -> dict[str, Any]:
    """The message that tells how an invocation ended. Encoded, it is never longer than what SNS takes."""
    message = _message(invocation, outcome, finished)
    if len(encoded(message)) > MAX_MESSAGE_BYTES:
        reason = f"The response makes the notification exceed {MAX_MESSAGE_BYTES} bytes and is not included."
        message["responseBody"] = {"message": reason}
    return message


def topic(invocation: Invocation, outcome: Outcome) -> str | None:
    """The topic for an outcome, if there is one."""
    return invocation.spec.error_topic if isinstance(outcome, Failure) else invocation.spec.success_topic


def _message(invocation: Invocation, outcome: Outcome, finished: datetime) -> dict[str, Any]:
    message: dict[str, Any] = {
        "awsRegion": invocation.scope.region,
        "eventTime": _iso(finished),
        "receivedTime": _iso(invocation.received),
    }
    if isinstance(outcome, Failure):
        message["invocationStatus"] = "Failed"
        message["failureReason"] = outcome.reason
    else:
        message["invocationStatus"] = "Completed"
    message["requestParameters"] = _request_parameters(invocation)
    response = _response_parameters(invocation, outcome)
    if response:
        message["responseParameters"] = response
    body = _response_body(invocation, outcome)
    if body:
        message["responseBody"] = body
    message["inferenceId"] = invocation.inference_id
    message["eventVersion"] = "1.0"
    message["eventSource"] = "aws:sagemaker"
    message["eventName"] = "InferenceResult"
    return message


def _request_parameters(invocation: Invocation) -> dict[str, Any]:
    parameters: dict[str, Any] = {"endpointName": invocation.endpoint}
    for name, key in (
        ("InputLocation", "inputLocation"),
        ("ContentType", "contentType"),
        ("Accept", "accept"),
    ):
        if name in invocation.parameters:
            parameters[key] = invocation.parameters[name]
    return parameters


def _response_parameters(invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if outcome.content_type:
        parameters["contentType"] = outcome.content_type
    if not isinstance(outcome, Failure):
        parameters["outputLocation"] = str(invocation.output)
    elif invocation.failure is not None:
        parameters["failureLocation"] = str(invocation.failure)
    return parameters


def _response_body(invocation: Invocation, outcome: Outcome) -> dict[str, str] | None:
    wanted = ERROR_TOPICS if isinstance(outcome, Failure) else SUCCESS_TOPICS
    if wanted not in invocation.spec.include_response_in:
        return None
    if len(outcome.body) > MAX_EMBEDDED_BYTES:
        return {"message": f"The response exceeds {MAX_EMBEDDED_BYTES} bytes and is not included."}
    if isinstance(outcome, Failure):
        return {"content": outcome.body.decode("utf-8", "replace")}
    return {"content": base64.b64encode(outcome.body).decode()}


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
