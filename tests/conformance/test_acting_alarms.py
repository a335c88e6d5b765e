"""Alarms that act: out, in, to zero and back (reference 2.5)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from conformance.scaled_endpoint import MINUTES_PER_SECOND, PATIENT_INVOCATION, PATIENT_START, ScaledEndpoint


def test_awss_recipe_scales_from_zero_for_the_backlog_and_back(user: Any) -> None:
    name = user.async_endpoint(**PATIENT_START)
    user.scale(name, 0)
    scaled = ScaledEndpoint(user, name, 0, 1)
    alarms = scaled.follow_backlog()
    wake = scaled.step(+1, "has-backlog")
    user.hurry(MINUTES_PER_SECOND)
    answer = user.invoke_async(name, **PATIENT_INVOCATION)
    cause = "monitor alarm {} in state ALARM triggered policy {}"
    scaled.await_activity(
        Description="Setting desired instance count to 1.",
        Cause=cause.format(wake, "step-has-backlog"),
        StatusCode="Successful",
    )
    assert user.await_object(answer["OutputLocation"])["Body"] == b"hello"
    scaled.await_count(0)
    scaled.await_activity(
        Description="Setting desired instance count to 0.",
        Cause=cause.format(alarms["AlarmLow"], "tracking"),
        StatusCode="Successful",
    )


def test_invocations_per_instance_scale_a_real_time_endpoint(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.realtime_endpoint(**PATIENT_START), 1, 2)
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    alarms = scaled.track(TargetValue=0.5, PredefinedMetricSpecification=predefined)
    user.hurry(MINUTES_PER_SECOND)

    def invoke() -> None:
        # A real-time invocation has a minute, which is a second here: on a busy machine some time out, and count all the same.
        with suppress(ClientError):
            user.runtime.invoke_endpoint(EndpointName=scaled.name, Body=b"x")

    scaled.await_count(2, invoke)
    scaled.await_activity(
        StatusCode="Successful",
        Cause=f"monitor alarm {alarms['AlarmHigh']} in state ALARM triggered policy tracking",
    )


def test_without_traffic_a_real_time_endpoint_returns_to_its_minimum(user: Any) -> None:
    name = user.realtime_endpoint(InitialInstanceCount=2)
    scaled = ScaledEndpoint(user, name, 1, 2)
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaled.track(TargetValue=10, PredefinedMetricSpecification=predefined)
    user.hurry(MINUTES_PER_SECOND)
    scaled.await_count(1)


def test_a_policy_on_invocations_per_instance_never_scales_an_asynchronous_endpoint(user: Any) -> None:
    tracking = {
        "TargetValue": 10,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    asynchronous = ScaledEndpoint(user, user.async_endpoint(InitialInstanceCount=2), 1, 2)
    real_time = ScaledEndpoint(user, user.realtime_endpoint(InitialInstanceCount=2), 1, 2)
    for scaled in (asynchronous, real_time):
        scaled.track(**tracking)
    user.hurry(MINUTES_PER_SECOND)
    real_time.await_count(1)
    assert asynchronous.counts() == (2, 2)


def test_the_larger_of_two_adjustments_wins(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 0, 5)
    smaller, larger = scaled.step(+1, "one-more"), scaled.step(+2, "two-more")
    for alarm, count in ((smaller, 2), (larger, 3)):
        scaled.set_state(alarm, "ALARM")
        scaled.await_count(count)
        scaled.await_activity(
            Description=f"Setting desired instance count to {count}.", StatusCode="Successful"
        )
