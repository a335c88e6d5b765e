"""Alarms that act, on a fast clock: out, in, to zero and back.

A minute takes a second here, so three periods above a target and fifteen below it pass while one looks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conformance import sagemaker_user
from sagemaker_local.testing import LocalAws

MINUTES_PER_SECOND = 60
# Fifteen minutes are fifteen seconds here, on a machine that does nothing else.
PATIENCE_SECONDS = 180.0
# On the fast clock an hour is a minute: the longest time-outs, so that a busy machine can start a container and have it answer.
PATIENT_START = {"ContainerStartupHealthCheckTimeoutInSeconds": 3_600}
PATIENT_INVOCATION = {"InvocationTimeoutSeconds": 3_600}


class ScaledEndpoint:
    """An endpoint whose variant is registered as a scalable target."""

    def __init__(self, user: Any, name: str, minimum: int, maximum: int, **more: Any) -> None:
        self.user, self.name = user, name
        self.variant = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{name}/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        user.autoscaling.register_scalable_target(
            **self.variant, MinCapacity=minimum, MaxCapacity=maximum, **more
        )

    def step(self, adjustment: int, alarm: str, **more: Any) -> str:
        """A step policy, and the alarm that triggers it. Returns the alarm's name."""
        bound = "MetricIntervalLowerBound" if adjustment > 0 else "MetricIntervalUpperBound"
        policy = self.user.autoscaling.put_scaling_policy(
            **self.variant,
            PolicyName=f"step-{alarm}",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Average",
                "Cooldown": 300,
                "StepAdjustments": [{bound: 0, "ScalingAdjustment": adjustment}],
            },
        )
        definition = {
            "MetricName": "HasBacklogWithoutCapacity",
            "Namespace": "AWS/SageMaker",
            "Statistic": "Average",
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 2,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
            "Dimensions": [{"Name": "EndpointName", "Value": self.name}],
            "Period": 60,
        }
        name = f"{self.name}-{alarm}"
        self.user.cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmActions=[policy["PolicyARN"], *more.pop("actions", [])],
            **{**definition, **more},
        )
        return name

    def track(self, **configuration: Any) -> dict[str, str]:
        """A target-tracking policy. Returns its alarms' names, by `AlarmHigh` and `AlarmLow`."""
        policy = self.user.autoscaling.put_scaling_policy(
            **self.variant,
            PolicyName="tracking",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=configuration,
        )
        return {
            kind: each["AlarmName"]
            for each in policy["Alarms"]
            for kind in ("AlarmHigh", "AlarmLow")
            if f"-{kind}-" in each["AlarmName"]
        }

    def follow_backlog(self) -> dict[str, str]:
        metric = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": self.name}],
            "Statistic": "Average",
        }
        return self.track(
            TargetValue=5, CustomizedMetricSpecification=metric, ScaleInCooldown=60, ScaleOutCooldown=60
        )

    def metric(self, name: str, value: float) -> None:
        self.user.cloudwatch.put_metric_data(
            Namespace="AWS/SageMaker",
            MetricData=[
                {
                    "MetricName": name,
                    "Value": value,
                    "Dimensions": [{"Name": "EndpointName", "Value": self.name}],
                }
            ],
        )

    def counts(self) -> tuple[int, int]:
        described = self.user.described(self.name)["ProductionVariants"][0]
        return described["CurrentInstanceCount"], described["DesiredInstanceCount"]

    def await_count(self, count: int, meanwhile: Callable[[], Any] = lambda: None) -> None:
        """Look until there are so many instances, doing something before each look."""

        def look() -> tuple[int, int]:
            meanwhile()
            return self.counts()

        sagemaker_user.eventually(look, lambda seen: seen == (count, count), PATIENCE_SECONDS, pause=0.1)

    def set_state(self, alarm: str, state: str) -> None:
        self.user.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="by hand")

    def activities(self, **more: Any) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.user.autoscaling.describe_scaling_activities(
            **self.variant, **more
        )["ScalingActivities"]
        return listed

    def await_activity(self, **wanted: Any) -> dict[str, Any]:
        """Wait for an activity with these members."""

        def find() -> dict[str, Any]:
            for activity in self.activities(IncludeNotScaledActivities=True):
                if all(activity.get(name) == value for name, value in wanted.items()):
                    return activity
            return {}

        return sagemaker_user.eventually(find, bool, PATIENCE_SECONDS, pause=0.1)


def test_target_tracking_adds_as_many_instances_as_the_metric_asks_for(emulator: LocalAws, user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(**PATIENT_START), 0, 3)
    alarms = scaled.follow_backlog()
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    scaled.await_count(3, lambda: scaled.metric("ApproximateBacklogSizePerInstance", 14))
    scaled.await_activity(
        Description="Setting desired instance count to 3.",
        StatusCode="Successful",
        Cause=f"monitor alarm {alarms['AlarmHigh']} in state ALARM triggered policy tracking",
    )


def test_an_endpoint_at_zero_wakes_up_for_its_queue(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint(**PATIENT_START)
    user.scale(name, 0)
    scaled = ScaledEndpoint(user, name, 0, 1)
    topic, receive = user.topic_with_queue("alarms")
    alarm = scaled.step(+1, "has-backlog", actions=[topic])
    answer = user.invoke_async(name, **PATIENT_INVOCATION)
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    scaled.await_count(1, lambda: scaled.metric("HasBacklogWithoutCapacity", 1))
    assert user.await_object(answer["OutputLocation"])["Body"] == b"hello"
    told = receive(1, keep_tests=True)[0]
    assert (told["AlarmName"], told["NewStateValue"], told["OldStateValue"]) == (
        alarm,
        "ALARM",
        "INSUFFICIENT_DATA",
    )
    assert "greater than or equal to the threshold (1.0)" in told["NewStateReason"]


def test_awss_recipe_scales_from_zero_for_the_backlog_and_back(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint(**PATIENT_START)
    user.scale(name, 0)
    scaled = ScaledEndpoint(user, name, 0, 1)
    alarms = scaled.follow_backlog()
    wake = scaled.step(+1, "has-backlog")
    emulator.set_clock_speed(MINUTES_PER_SECOND)
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


def test_invocations_per_instance_scale_a_real_time_endpoint(emulator: LocalAws, user: Any) -> None:
    scaled = ScaledEndpoint(user, user.realtime_endpoint(**PATIENT_START), 1, 2)
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    alarms = scaled.track(TargetValue=0.5, PredefinedMetricSpecification=predefined)
    emulator.set_clock_speed(MINUTES_PER_SECOND)

    def invoke() -> None:
        # A real-time invocation has a minute, which is a second here: on a busy machine some time out, and count all the same.
        with suppress(ClientError):
            user.runtime.invoke_endpoint(EndpointName=scaled.name, Body=b"x")

    scaled.await_count(2, invoke)
    scaled.await_activity(
        StatusCode="Successful",
        Cause=f"monitor alarm {alarms['AlarmHigh']} in state ALARM triggered policy tracking",
    )


def test_without_traffic_a_real_time_endpoint_returns_to_its_minimum(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint(InitialInstanceCount=2)
    scaled = ScaledEndpoint(user, name, 1, 2)
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaled.track(TargetValue=10, PredefinedMetricSpecification=predefined)
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    scaled.await_count(1)


def test_a_policy_on_invocations_per_instance_never_scales_an_asynchronous_endpoint(
    emulator: LocalAws, user: Any
) -> None:
    tracking = {
        "TargetValue": 10,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    asynchronous = ScaledEndpoint(user, user.async_endpoint(InitialInstanceCount=2), 1, 2)
    real_time = ScaledEndpoint(user, user.realtime_endpoint(InitialInstanceCount=2), 1, 2)
    for scaled in (asynchronous, real_time):
        scaled.track(**tracking)
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    real_time.await_count(1)
    assert asynchronous.counts() == (2, 2)


def test_a_state_set_by_hand_acts_like_any_other(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 2)
    alarm = scaled.step(+1, "by-hand")
    scaled.set_state(alarm, "ALARM")
    scaled.await_count(2)
    cause = f"monitor alarm {alarm} in state ALARM triggered policy step-by-hand"
    scaled.await_activity(Cause=cause, StatusCode="Successful")


def test_an_alarm_that_changes_nothing_is_a_not_scaled_activity(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 1)
    scaled.set_state(scaled.step(+1, "at-maximum"), "ALARM")
    activity = scaled.await_activity(Description="Attempting to scale due to alarm triggered")
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 1}]
    assert scaled.activities() == []
    assert scaled.counts() == (1, 1)


def test_an_instance_that_is_removed_finishes_its_work(emulator: LocalAws, user: Any, tmp_path: Path) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 0, 1)
    gate = tmp_path / "gate"
    answer = user.invoke_async(scaled.name, {"gate": str(gate), "status": 200, "body": "finished"})
    user.eventually(lambda: [each for each in emulator.instances(scaled.name) if each["in_flight"] == 1])
    alarm = scaled.step(-1, "idle", ComparisonOperator="LessThanOrEqualToThreshold")
    scaled.set_state(alarm, "ALARM")
    scaled.await_count(0)
    gate.touch()
    assert user.await_object(answer["OutputLocation"])["Body"] == b"finished"


def test_suspended_scaling_does_nothing_until_it_is_resumed(user: Any) -> None:
    state = {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": False,
    }
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 2, SuspendedState=state)
    other = ScaledEndpoint(user, user.async_endpoint(), 1, 2)
    suspended, free = scaled.step(+1, "suspended"), other.step(+1, "free")
    scaled.set_state(suspended, "ALARM")
    other.set_state(free, "ALARM")
    other.await_count(2)
    assert scaled.counts() == (1, 1)


def test_a_real_time_endpoint_that_shall_scale_to_zero_stays_and_says_why(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.realtime_endpoint(), 0, 0)
    activity = scaled.await_activity(Description="Setting desired instance count to 0.", StatusCode="Failed")
    assert "only endpoints with AsyncInferenceConfig can have no instances" in activity["StatusMessage"]
    assert scaled.counts() == (1, 1)


def test_a_real_time_endpoint_cannot_retain_the_zero_of_an_asynchronous_one(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=user.config(user.model()),
            RetainAllVariantProperties=True,
        )
    assert "AsyncInferenceConfig" in user.described(name)


def test_asynchronous_requests_go_to_the_variant_that_has_instances(user: Any) -> None:
    model = user.model()
    variants = [user.variant(model, VariantName=name) for name in ("empty", "serving")]
    name = user.endpoint(user.config_of(variants, user.async_config()))
    user.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "empty", "DesiredInstanceCount": 0}],
    )
    user.await_status(name, "InService")
    answers = [user.invoke_async(name) for _ in range(8)]
    assert [user.await_object(answer["OutputLocation"])["Body"] for answer in answers] == [b"hello"] * 8


@pytest.mark.parametrize(("statistic", "period"), [("p90", 60), ("Sum", 10)])
def test_alarms_of_other_statistics_and_periods_are_evaluated(
    emulator: LocalAws, user: Any, statistic: str, period: int
) -> None:
    kind = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    name = f"{user.name}-{statistic}"
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    user.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=user.name,
        MetricName="Custom",
        EvaluationPeriods=1,
        Threshold=3,
        ComparisonOperator="GreaterThanThreshold",
        Period=period,
        **{kind: statistic},
    )

    def state() -> str:
        user.cloudwatch.put_metric_data(
            Namespace=user.name, MetricData=[{"MetricName": "Custom", "Value": 7.0}]
        )
        alarm = user.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return str(alarm["StateValue"])

    assert user.eventually(state, lambda seen: seen == "ALARM")
