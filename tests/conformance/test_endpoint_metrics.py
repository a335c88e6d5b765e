"""What CloudWatch knows of invocations and of a multi-model endpoint's cache (reference 2.4, 2.5)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

STATISTICS = ["Sum", "SampleCount", "Minimum", "Maximum", "Average"]


def statistics(user: Any, endpoint: str, name: str) -> dict[str, float]:
    """The metric's statistics over the last hours; SampleCount 0 while there is none."""
    points = user.datapoints(name, STATISTICS, {"EndpointName": endpoint, "VariantName": "AllTraffic"})
    assert len(points) <= 1
    return {each: points[0][each] for each in STATISTICS} if points else {"SampleCount": 0.0}


def when_complete(user: Any, endpoint: str, name: str, samples: int) -> dict[str, float]:
    """The same, once so many samples have come."""
    found: dict[str, float] = user.eventually(
        lambda: statistics(user, endpoint, name), lambda seen: seen["SampleCount"] >= samples
    )
    return found


def test_real_time_invocations_are_counted_with_their_errors(user: Any) -> None:
    name = user.realtime_endpoint()
    for body in (b"fine", b'{"status": 400}', b'{"status": 500}', b"fine"):
        with suppress(ClientError):
            user.runtime.invoke_endpoint(EndpointName=name, Body=body)
    counted = {
        metric: when_complete(user, name, metric, samples=4)["Sum"]
        for metric in (
            "Invocations",
            "InvocationsPerInstance",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
            "InvocationModelErrors",
        )
    }
    assert counted == {
        "Invocations": 4,
        "InvocationsPerInstance": 4,
        "Invocation4XXErrors": 1,
        "Invocation5XXErrors": 1,
        "InvocationModelErrors": 2,
    }


def test_real_time_invocations_are_timed_in_microseconds(user: Any) -> None:
    name = user.realtime_endpoint()
    user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"sleep": 0.3}')
    assert when_complete(user, name, "ModelLatency", samples=1)["Minimum"] >= 300_000
    assert when_complete(user, name, "OverheadLatency", samples=1)["Minimum"] > 0


def test_invocations_per_instance_are_divided_by_the_instances(user: Any) -> None:
    name = user.realtime_endpoint(InitialInstanceCount=2)
    for _ in range(4):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    assert when_complete(user, name, "InvocationsPerInstance", samples=4)["Sum"] == 2


def test_the_average_of_model_cache_hits_is_the_hit_ratio(user: Any) -> None:
    for letter in "ab":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint()
    for letter in "aaba":
        user.invoke_model(name, f"{letter}.tar.gz")
    hits = when_complete(user, name, "ModelCacheHit", samples=4)
    assert (hits["SampleCount"], hits["Average"]) == (4, 0.5)


def test_each_step_of_bringing_a_model_in_is_timed(user: Any) -> None:
    for letter in "ab":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "1"})
    for letter in "ab":
        user.invoke_model(name, f"{letter}.tar.gz")
    for metric, samples in (
        ("ModelDownloadingTime", 2),
        ("ModelLoadingTime", 2),
        ("ModelLoadingWaitTime", 2),
        ("ModelUnloadingTime", 1),
    ):
        assert when_complete(user, name, metric, samples)["Minimum"] > 0
