"""An endpoint that alarms scale, and how a test looks at it.

Where AWS's clocks can be hurried a minute takes a second, so three periods above a target and fifteen below it pass while one
looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from conformance import sagemaker_user

T = TypeVar("T")

MINUTES_PER_SECOND = 60
# Fifteen minutes are fifteen seconds here, on a machine that does nothing else.
PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 0.1
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

        self._eventually(look, lambda seen: seen == (count, count))

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

        return self._eventually(find, bool)

    def _eventually(self, observe: Callable[[], T], wanted: Callable[[T], bool]) -> T:
        target = self.user.target
        patience, pause = max(PATIENCE_SECONDS, target.patience), max(PAUSE_SECONDS, target.pause)
        return sagemaker_user.eventually(observe, wanted, patience, pause)
