"""What the SNS topics of an asynchronous endpoint receive (reference 2.1, 2.2)."""

from __future__ import annotations

import base64
import json
from typing import Any


def test_creating_an_endpoint_sends_a_test_notification_to_both_topics(user: Any) -> None:
    (success, received_success), (error, received_error) = (
        user.topic_with_queue("ok"),
        user.topic_with_queue("err"),
    )
    user.async_endpoint(topics={"SuccessTopic": success, "ErrorTopic": error})
    test = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
    # SNS delivers at least once.
    for received in (received_success, received_error):
        assert all(message == test for message in received(1, keep_tests=True))


def test_updating_an_endpoint_sends_another(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    fresh = user.config(user.model(), user.async_config(topics={"SuccessTopic": success}))
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    user.await_status(name, "InService")
    assert all(message["eventName"] == "TestNotification" for message in received(2, keep_tests=True))


def test_a_success_is_told_with_the_documented_fields(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    answer = user.invoke_async(
        name, InferenceId="id-1", ContentType="text/plain", Accept="text/html", CustomAttributes="secret"
    )
    message = received(1)[0]
    request, response = message["requestParameters"], message["responseParameters"]
    assert (message["eventName"], message["eventSource"], message["eventVersion"]) == (
        "InferenceResult",
        "aws:sagemaker",
        "1.0",
    )
    assert (message["invocationStatus"], message["inferenceId"]) == ("Completed", "id-1")
    assert message["awsRegion"] == user.target.region
    assert message["eventTime"] >= message["receivedTime"]
    assert (request["endpointName"], request["contentType"]) == (name, "text/plain")
    assert request["inputLocation"].startswith(f"s3://{user.bucket}/in/")
    assert (response["outputLocation"], response["contentType"]) == (answer["OutputLocation"], "text/plain")


def test_a_notification_has_no_subject(user: Any) -> None:
    success, received = user.topic_with_queue("ok", raw=False)
    user.invoke_async(user.async_endpoint(topics={"SuccessTopic": success}))
    envelopes = received(2)
    assert {json.loads(envelope["Message"])["eventName"] for envelope in envelopes} == {
        "TestNotification",
        "InferenceResult",
    }
    assert [envelope.get("Subject") for envelope in envelopes] == [None, None]


def test_custom_attributes_are_not_told(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    user.invoke_async(name, CustomAttributes="a-secret")
    assert "a-secret" not in json.dumps(received(1)[0])


def test_the_output_is_there_when_its_notification_arrives(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    user.invoke_async(name)
    assert user.read(received(1)[0]["responseParameters"]["outputLocation"]) is not None


def test_a_failure_is_told_to_the_error_topic_and_only_there(user: Any) -> None:
    (success, received_success), (error, received_error) = (
        user.topic_with_queue("ok"),
        user.topic_with_queue("err"),
    )
    name = user.async_endpoint(topics={"SuccessTopic": success, "ErrorTopic": error})
    user.invoke_async(name, {"status": 500, "body": "no luck"}, InferenceId="fails")
    user.invoke_async(name, InferenceId="works")
    message = received_error(1)[0]
    assert (message["eventName"], message["inferenceId"]) == ("InferenceResult", "fails")
    assert message["invocationStatus"] != "Completed"
    assert {message["inferenceId"] for message in received_success(1)} == {"works"}


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
    assert "hello" in readings(received_success(1)[0]["responseBody"]["content"])
    assert any("bad photos" in text for text in readings(received_error(1)[0]["responseBody"]["content"]))


def test_a_response_above_128_kilobytes_is_not_included(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(
        topics={"SuccessTopic": success, "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}
    )
    user.invoke_async(name, b"x" * (128 * 1024 + 1))
    assert "content" not in received(1)[0].get("responseBody", {})


def readings(content: str) -> list[str]:
    """What a response body may mean: AWS does not say whether it is encoded, and has been seen to do both."""
    try:
        decoded = base64.b64decode(content, validate=True).decode()
    except ValueError:
        return [content]
    return [content, decoded]
