"""What the SNS topics of an asynchronous endpoint receive (reference 2.1, 2.2)."""

from __future__ import annotations

import base64
from typing import Any


def test_creating_an_endpoint_sends_a_test_notification_to_both_topics(user: Any) -> None:
    (success, received_success), (error, received_error) = (
        user.topic_with_queue("ok"),
        user.topic_with_queue("err"),
    )
    user.async_endpoint(topics={"SuccessTopic": success, "ErrorTopic": error})
    test = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
    assert received_success(1, keep_tests=True) == [test]
    assert received_error(1, keep_tests=True) == [test]


def test_updating_an_endpoint_sends_another(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    fresh = user.config(user.model(), user.async_config(topics={"SuccessTopic": success}))
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    user.await_status(name, "InService")
    assert len(received(2, keep_tests=True)) == 2


def test_a_topic_that_does_not_exist_fails_the_endpoint(user: Any) -> None:
    topics = {"SuccessTopic": "arn:aws:sns:us-east-1:123456789012:no-such-topic"}
    name = user.endpoint(user.config(user.model(), user.async_config(topics=topics)), status="Failed")
    assert (
        user.described(name)["FailureReason"]
        == f"Cannot publish to the topic {topics['SuccessTopic']}: NotFound"
    )


def test_a_success_is_told_with_the_documented_fields(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    answer = user.invoke_async(
        name, InferenceId="id-1", ContentType="text/plain", Accept="text/html", CustomAttributes="secret"
    )
    message = received(1)[0]
    input_location = message["requestParameters"].pop("inputLocation")
    assert input_location.startswith(f"s3://{user.bucket}/in/")
    assert message.pop("eventTime") >= message.pop("receivedTime")
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": name, "contentType": "text/plain", "accept": "text/html"},
        "responseParameters": {"contentType": "text/plain", "outputLocation": answer["OutputLocation"]},
        "inferenceId": "id-1",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def test_the_output_is_there_when_its_notification_arrives(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    user.invoke_async(name)
    assert user.read(received(1)[0]["responseParameters"]["outputLocation"]) is not None


def test_a_failure_is_told_to_the_error_topic_with_its_reason(user: Any) -> None:
    (success, received_success), (error, received_error) = (
        user.topic_with_queue("ok"),
        user.topic_with_queue("err"),
    )
    name = user.async_endpoint(topics={"SuccessTopic": success, "ErrorTopic": error})
    failing = user.invoke_async(name, {"status": 500, "body": "no luck"}, InferenceId="fails")
    user.invoke_async(name, InferenceId="works")
    message = received_error(1)[0]
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == (
        "ClientError: Received server error (500) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    assert message["inferenceId"] == "fails"
    assert message["responseParameters"]["failureLocation"] == failing["FailureLocation"]
    assert "responseBody" not in message
    assert [message["inferenceId"] for message in received_success(1)] == ["works"]


def test_the_response_is_included_where_it_is_asked_for(user: Any) -> None:
    (success, received_success), (error, received_error) = (
        user.topic_with_queue("ok"),
        user.topic_with_queue("err"),
    )
    included = ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
    name = user.async_endpoint(
        topics={"SuccessTopic": success, "ErrorTopic": error, "IncludeInferenceResponseIn": included}
    )
    user.invoke_async(name, b"hello")
    user.invoke_async(name, {"status": 400, "body": "bad photos"})
    assert base64.b64decode(received_success(1)[0]["responseBody"]["content"]) == b"hello"
    assert received_error(1)[0]["responseBody"]["content"] == "bad photos"


def test_a_response_above_128_kilobytes_is_not_included(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(
        topics={"SuccessTopic": success, "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}
    )
    user.invoke_async(name, b"x" * (128 * 1024 + 1))
    body = received(1)[0]["responseBody"]
    assert "content" not in body
    assert "message" in body
