"""An asynchronous endpoint that becomes a real-time one: AWS does not say what becomes of its queue."""

from __future__ import annotations

from typing import Any


def test_what_is_queued_fails_when_its_endpoint_becomes_a_real_time_one(user: Any) -> None:
    topic, received = user.topic_with_queue("err")
    name = user.async_endpoint(topics={"ErrorTopic": topic})
    user.scale(name, 0)
    answer = user.invoke_async(name, InferenceId="left behind")
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=user.config(user.model()))
    failure = user.await_object(answer["FailureLocation"])
    assert failure["Body"].startswith(b"ClientError: The endpoint has been updated")
    assert [message["inferenceId"] for message in received(1)] == ["left behind"]
