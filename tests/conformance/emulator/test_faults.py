"""Faults on demand: throttling, lost answers, unreliable notifications."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws


def test_an_api_is_throttled_as_often_as_ordered(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    emulator.add_fault(
        kind="api", api="InvokeEndpointAsync", error="ThrottlingException", status=400, times=2
    )
    for _ in range(2):
        with pytest.raises(ClientError, match="ThrottlingException"):
            user.invoke_async(name, InferenceId="throttled")
    user.await_object(user.invoke_async(name, InferenceId="throttled")["OutputLocation"])
    calls = emulator.calls(EndpointName=name, InferenceId="throttled")
    assert [call["carried_out"] for call in calls] == [False, False, True]


def test_a_lost_answer_leaves_the_work_done(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    emulator.add_fault(
        kind="api", api="InvokeEndpointAsync", when="after", error="ServiceUnavailable", status=503
    )
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        user.invoke_async(name, Filename="lost.out")
    assert user.await_object(f"s3://{user.bucket}/out/lost.out")["Body"] == b"hello"
    assert [
        (call["carried_out"], call["status"])
        for call in emulator.calls(EndpointName=name, Filename="lost.out")
    ] == [(True, 503)]


def test_a_dropped_notification_does_not_arrive_but_the_next_does(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="drop", topic=success)
    user.await_object(user.invoke_async(name, InferenceId="dropped")["OutputLocation"])
    user.invoke_async(name, InferenceId="told")
    assert [message["inferenceId"] for message in received(1)] == ["told"]


def test_a_duplicated_notification_arrives_twice(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="duplicate", topic=success)
    user.invoke_async(name, InferenceId="twice")
    assert [message["inferenceId"] for message in received(2)] == ["twice", "twice"]


def test_a_delayed_notification_is_overtaken(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="delay", seconds=2, topic=success)
    user.invoke_async(name, InferenceId="first")
    user.invoke_async(name, InferenceId="second")
    assert [message["inferenceId"] for message in received(2)] == ["second", "first"]


def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(emulator: LocalAws) -> None:
    with pytest.raises(ValueError, match="action must be one of"):
        emulator.add_fault(kind="notification", action="eat")
