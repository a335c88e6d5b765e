"""Faults on demand: throttling, lost answers, unreliable notifications, dying containers, failing storage."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
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


@pytest.mark.parametrize(("error", "status"), [("InternalFailure", 500), ("ServiceUnavailable", 503)])
def test_awss_own_errors_come_on_demand(emulator: LocalAws, user: Any, error: str, status: int) -> None:
    emulator.add_fault(kind="api", api="InvokeEndpointAsync", error=error, status=status)
    with pytest.raises(ClientError) as refusal:
        user.invoke_async("any")
    response = refusal.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (error, status)


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
    emulator.add_fault(kind="notification", action="drop", topic=success, inference_id="dropped")
    user.await_object(user.invoke_async(name, InferenceId="dropped")["OutputLocation"])
    user.invoke_async(name, InferenceId="told")
    assert [message["inferenceId"] for message in received(1)] == ["told"]


def test_a_duplicated_notification_arrives_twice(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="duplicate", topic=success, inference_id="twice")
    user.invoke_async(name, InferenceId="twice")
    assert [message["inferenceId"] for message in received(2)] == ["twice", "twice"]


def test_a_delayed_notification_arrives_later(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="delay", seconds=1, topic=success)
    user.invoke_async(name)
    (message,) = received(1)
    assert datetime.now(UTC) - datetime.fromisoformat(message["eventTime"]) >= timedelta(seconds=1)


def test_a_notification_is_overtaken_by_the_next(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(
        kind="notification", action="reorder", seconds=3_600, topic=success, inference_id="first"
    )
    user.invoke_async(name, InferenceId="first")
    user.eventually(lambda: not emulator.faults())
    user.invoke_async(name, InferenceId="second")
    assert [message["inferenceId"] for message in received(2)] == ["second", "first"]


def test_a_notification_that_nothing_overtakes_arrives_in_the_end(emulator: LocalAws, user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    name = user.async_endpoint(topics={"SuccessTopic": success})
    emulator.add_fault(kind="notification", action="reorder", seconds=0.5, topic=success)
    user.invoke_async(name, InferenceId="alone")
    assert [message["inferenceId"] for message in received(1)] == ["alone"]


def test_a_crash_on_demand_fails_the_invocation_and_the_next_is_served(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    emulator.add_fault(kind="instance", action="crash", endpoint=name)
    failure = user.await_object(user.invoke_async(name)["FailureLocation"])
    assert failure["Body"].startswith(b"Amazon SageMaker could not get a response")
    user.await_object(user.invoke_async(name)["OutputLocation"])


def test_a_container_that_ran_out_of_memory_says_so_in_its_log(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint()
    log = Path(emulator.instances(name)[0]["directory"]) / "container.log"
    emulator.add_fault(kind="instance", action="out_of_memory", endpoint=name)
    with pytest.raises(user.runtime.exceptions.ModelError):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    assert "Killed: out of memory (exit code 137)" in log.read_text()


def test_a_hanging_container_times_out_and_goes_on_when_the_faults_are_cleared(
    emulator: LocalAws, user: Any
) -> None:
    name = user.async_endpoint()
    emulator.add_fault(kind="instance", action="hang", endpoint=name)
    hanging = user.invoke_async(name, InvocationTimeoutSeconds=1)
    failure = user.await_object(hanging["FailureLocation"])
    assert failure["Body"].startswith(b"ClientError: Received server error (0) from model.")
    following = user.invoke_async(name)
    emulator.clear_faults()
    user.await_object(following["OutputLocation"])


def test_a_missing_input_can_be_ordered(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    emulator.add_fault(
        kind="s3", action="missing", bucket=user.bucket, operation="GetObject", caller="platform"
    )
    failure = user.await_object(user.invoke_async(name)["FailureLocation"])
    assert b"NoSuchKey" in failure["Body"]


def test_an_output_that_cannot_be_written_fails_the_invocation(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    emulator.add_fault(kind="s3", action="failing", key="out/*", operation="PutObject", caller="platform")
    failure = user.await_object(user.invoke_async(name)["FailureLocation"])
    assert failure["Body"].startswith(b"ClientError: Unable to upload the inference response payload")
    assert b"SlowDown" in failure["Body"]


def test_a_clients_own_request_to_s3_fails_on_demand(emulator: LocalAws, user: Any) -> None:
    user.s3.put_object(Bucket=user.bucket, Key="k", Body=b"x")
    emulator.add_fault(kind="s3", action="failing", status=500, bucket=user.bucket, key="k")
    with pytest.raises(ClientError, match="InternalError"):
        user.s3.get_object(Bucket=user.bucket, Key="k")
    assert user.s3.get_object(Bucket=user.bucket, Key="k")["Body"].read() == b"x"


def test_a_slow_bucket_answers_late(emulator: LocalAws, user: Any) -> None:
    user.s3.put_object(Bucket=user.bucket, Key="k", Body=b"x")
    emulator.add_fault(kind="s3", action="slow", seconds=0.5, bucket=user.bucket)
    began = time.monotonic()
    assert user.s3.get_object(Bucket=user.bucket, Key="k")["Body"].read() == b"x"
    assert time.monotonic() - began >= 0.5


def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(emulator: LocalAws) -> None:
    with pytest.raises(ValueError, match="action must be one of"):
        emulator.add_fault(kind="notification", action="eat")
