"""What CloudWatch knows of an asynchronous endpoint's invocations (reference 2.5)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest


@pytest.fixture(scope="module")
def busy(module_user: Any) -> str:
    """An endpoint that has had two good invocations and three bad ones."""
    name = module_user.async_endpoint()
    for body in (b"fine", {"sleep": 0.2}, {"status": 400}, {"status": 500}):
        module_user.invoke_async(name, body)
    missing = f"s3://{module_user.bucket}/{uuid.uuid4()}"
    module_user.runtime.invoke_endpoint_async(EndpointName=name, InputLocation=missing)
    when(module_user, name, "InvocationsProcessed", "InvocationsProcesssed", samples=5)
    return str(name)


def statistics(user: Any, endpoint: str, name: str) -> dict[str, float]:
    """The metric's statistics over the last hours; all 0 while there is none."""
    points = user.datapoints(
        name,
        ["Sum", "SampleCount", "Minimum"],
        {"EndpointName": endpoint, "VariantName": "AllTraffic"},
    )
    return {
        "Sum": sum(point["Sum"] for point in points),
        "SampleCount": sum(point["SampleCount"] for point in points),
        "Minimum": min((point["Minimum"] for point in points), default=0.0),
    }


def when(user: Any, endpoint: str, *spellings: str, samples: int = 1) -> dict[str, float]:
    """A metric's statistics once so many samples have come, under whichever of its names."""
    found: dict[str, float] = user.eventually(
        lambda: max(
            (statistics(user, endpoint, name) for name in spellings), key=lambda seen: seen["SampleCount"]
        ),
        lambda seen: seen["SampleCount"] >= samples,
    )
    return found


def test_errors_of_the_model_are_counted_by_kind(module_user: Any, busy: str) -> None:
    for metric in ("Invocation4XXErrors", "Invocation5XXErrors"):
        module_user.eventually(lambda metric=metric: statistics(module_user, busy, metric)["Sum"] == 1)


def test_a_request_that_could_not_be_downloaded_is_counted(module_user: Any, busy: str) -> None:
    assert when(module_user, busy, "RequestDownloadFailures")["Sum"] == 1


def test_the_steps_of_an_invocation_are_timed_in_microseconds(module_user: Any, busy: str) -> None:
    for metric in ("RequestDownloadLatency", "ResponseUploadLatency"):
        assert when(module_user, busy, metric)["Minimum"] > 0
    assert when(module_user, busy, "ModelLatency", samples=4)["Sum"] >= 200_000


@pytest.mark.parametrize("metric", ["Invocations", "InvocationsPerInstance", "OverheadLatency"])
def test_the_metrics_of_real_time_traffic_are_not_published(module_user: Any, busy: str, metric: str) -> None:
    assert statistics(module_user, busy, metric)["SampleCount"] == 0


def test_a_response_that_could_not_be_uploaded_is_counted(user: Any) -> None:
    topic, received = user.topic_with_queue("err")
    asynchronous = user.async_config(topics={"ErrorTopic": topic})
    asynchronous["OutputConfig"]["S3OutputPath"] = f"s3://{user.bucket}-that-nobody-made/out"
    name = user.endpoint(user.config(user.model(), asynchronous))
    user.invoke_async(name)
    received(1)
    assert when(user, name, "ResponseUploadFailures")["Sum"] == 1


def test_a_notification_that_could_not_be_sent_is_counted(user: Any) -> None:
    topic = user.sns.create_topic(Name=f"{user.name}-short-lived")["TopicArn"]
    name = user.async_endpoint(topics={"SuccessTopic": topic})
    user.sns.delete_topic(TopicArn=topic)
    user.invoke_async(name)
    assert when(user, name, "NotificationFailures")["Sum"] == 1


def test_a_backlog_without_capacity_is_told_and_so_is_its_end(user: Any) -> None:
    # An hour is a minute here: the longest time-outs, so that a busy machine can start a container and have it answer.
    name = user.async_endpoint(ContainerStartupHealthCheckTimeoutInSeconds=3_600)
    user.scale(name, 0)
    user.hurry(60)
    answers = [user.invoke_async(name, InvocationTimeoutSeconds=3_600) for _ in range(3)]
    for metric, value in (
        ("ApproximateBacklogSize", 3),
        ("ApproximateBacklogSizePerInstance", 3),
        ("HasBacklogWithoutCapacity", 1),
    ):
        user.eventually(lambda metric=metric, value=value: value in by_minute(user, name, metric, "Maximum"))
    user.eventually(
        lambda: max(by_minute(user, name, "ApproximateAgeOfOldestRequest", "Maximum"), default=0) > 0
    )
    user.scale(name, 1)
    for answer in answers:
        user.await_object(answer["OutputLocation"])
    user.eventually(lambda: by_minute(user, name, "ApproximateBacklogSize", "Minimum")[-1:] == [0])


def test_processed_and_failed_invocations_are_counted_and_timed(module_user: Any, busy: str) -> None:
    processed = when(module_user, busy, "InvocationsProcessed", "InvocationsProcesssed", samples=5)
    assert processed["Sum"] == 5
    module_user.eventually(lambda: statistics(module_user, busy, "InvocationFailures")["Sum"] == 3)
    for metric in ("TimeInBacklog", "TotalProcessingTime"):
        assert when(module_user, busy, metric, samples=5)["SampleCount"] == 5


def test_expired_requests_are_counted(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    user.hurry(600)
    user.invoke_async(name, RequestTTLSeconds=60)
    assert when(user, name, "ExpiredRequests")["Sum"] == 1


def by_minute(user: Any, endpoint: str, metric: str, statistic: str) -> list[float]:
    """A statistic of the endpoint's own metric, in order of time."""
    points = user.datapoints(metric, [statistic], {"EndpointName": endpoint}, period=60)
    return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]
