"""The metrics of an asynchronous endpoint's queue, as CloudWatch shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sagemaker_local.testing import LocalAws


def values(user: Any, metric: str, statistic: str, **dimensions: str) -> list[float]:
    """The metric's statistic per minute, in order of time."""
    now = datetime.now(UTC)
    points = user.cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]


def test_a_backlog_without_capacity_is_told_and_so_is_its_end(emulator: LocalAws, user: Any) -> None:
    # An hour is a minute here: the longest time-outs, so that a busy machine can start a container and have it answer.
    name = user.async_endpoint(ContainerStartupHealthCheckTimeoutInSeconds=3_600)
    user.scale(name, 0)
    emulator.set_clock_speed(60)
    answers = [user.invoke_async(name, InvocationTimeoutSeconds=3_600) for _ in range(3)]
    for metric, value in (
        ("ApproximateBacklogSize", 3),
        ("ApproximateBacklogSizePerInstance", 3),
        ("HasBacklogWithoutCapacity", 1),
    ):
        user.eventually(
            lambda metric=metric, value=value: value in values(user, metric, "Maximum", EndpointName=name)
        )
    user.eventually(
        lambda: (
            max(values(user, "ApproximateAgeOfOldestRequest", "Maximum", EndpointName=name), default=0) > 0
        )
    )
    user.scale(name, 1)
    for answer in answers:
        user.await_object(answer["OutputLocation"])
    user.eventually(lambda: values(user, "ApproximateBacklogSize", "Minimum", EndpointName=name)[-1:] == [0])


def test_processed_failed_and_expired_invocations_are_counted(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    user.invoke_async(name)
    user.invoke_async(name, {"status": 500})
    variant = {"EndpointName": name, "VariantName": "AllTraffic"}
    for metric, total in (("InvocationsProcessed", 2), ("InvocationFailures", 1)):
        user.eventually(
            lambda metric=metric, total=total: sum(values(user, metric, "Sum", **variant)) == total
        )
    for metric in ("TimeInBacklog", "TotalProcessingTime"):
        user.eventually(lambda metric=metric: sum(values(user, metric, "SampleCount", **variant)) == 2)
    user.scale(name, 0)
    emulator.set_clock_speed(600)
    user.invoke_async(name, RequestTTLSeconds=60)
    user.eventually(lambda: sum(values(user, "ExpiredRequests", "Sum", **variant)) == 1)
