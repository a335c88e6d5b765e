"""How a runtime's endpoints shall be scaled, as the API calls that make it so. Pure.

Trainings follow AWS's recipe for asynchronous endpoints (SageMaker Developer Guide, "Autoscale an asynchronous
endpoint"): the backlog for each instance is tracked, down to no instance. From none, tracking cannot start, because it
divides by the number of instances: there an alarm on HasBacklogWithoutCapacity adds the first one. It adds no second
one while the first starts, so its cooldown is as long as a start may take.

Drawing follows the invocations for each instance. AWS scales no multi-model endpoint to zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.sagemaker_backend import InferenceEndpoint, TrainingEndpoint
from avatar_operator.backends.sagemaker.endpoint_plan import VARIANT, Role
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec

BACKLOG_POLICY = "avatars-backlog"
WAKE_POLICY = "avatars-wake"
INVOCATIONS_POLICY = "avatars-invocations"
OUR_POLICIES = frozenset({BACKLOG_POLICY, WAKE_POLICY, INVOCATIONS_POLICY})
TRACKING = "TargetTrackingScaling"
STEPS = "StepScaling"
METRICS = "AWS/SageMaker"


@dataclass(frozen=True)
class ScalingPolicy:
    """One policy, as PutScalingPolicy takes it."""

    name: str
    type: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class ScalingPlan:
    """How one endpoint is scaled.

    Attributes:
        minimum: instances at least.
        maximum: instances at most.
        policies: what changes the number.
        alarm: what triggers the wake policy, as PutMetricAlarm takes it without its action; None if nothing has to wake.
    """

    endpoint_name: str
    minimum: int
    maximum: int
    policies: tuple[ScalingPolicy, ...]
    alarm: Mapping[str, Any] | None = None


def variant_of(endpoint_name: str) -> dict[str, str]:
    """An endpoint's variant, as Application Auto Scaling names it."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint_name}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def wake_alarm_name(endpoint_name: str) -> str:
    """The name of the alarm that wakes an endpoint; alarms of an account share one set of names."""
    return f"{endpoint_name}-avatars-wake"


def scaling_plan(runtime: AvatarRuntime, role: Role) -> ScalingPlan | None:
    """How the endpoint of a role shall be scaled; None if its number of instances is fixed."""
    sagemaker = sagemaker_spec(runtime)
    return _training(sagemaker.training) if role == "Training" else _inference(sagemaker.inference)


def _training(endpoint: TrainingEndpoint) -> ScalingPlan | None:
    scaling = endpoint.scaling
    if scaling is None:
        return None
    dimensions = [{"Name": "EndpointName", "Value": endpoint.endpoint_name}]
    backlog = {
        "TargetValue": float(scaling.backlog_per_instance),
        "CustomizedMetricSpecification": {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": METRICS,
            "Dimensions": dimensions,
            "Statistic": "Average",
        },
        "ScaleInCooldown": scaling.scale_in_cooldown_seconds,
        "ScaleOutCooldown": scaling.scale_out_cooldown_seconds,
    }
    policies = [ScalingPolicy(BACKLOG_POLICY, TRACKING, backlog)]
    alarm = None
    if scaling.min_instances == 0:
        wake = {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": max(scaling.scale_out_cooldown_seconds, endpoint.startup_timeout_seconds),
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        }
        policies.append(ScalingPolicy(WAKE_POLICY, STEPS, wake))
        alarm = {
            "AlarmName": wake_alarm_name(endpoint.endpoint_name),
            "AlarmDescription": "Trainings wait and no instance is there to run them.",
            "MetricName": "HasBacklogWithoutCapacity",
            "Namespace": METRICS,
            "Dimensions": dimensions,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "missing",
        }
    return ScalingPlan(
        endpoint.endpoint_name, scaling.min_instances, scaling.max_instances, tuple(policies), alarm
    )


def _inference(endpoint: InferenceEndpoint) -> ScalingPlan | None:
    scaling = endpoint.scaling
    if scaling is None:
        return None
    invocations = {
        "TargetValue": float(scaling.invocations_per_instance_per_minute),
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": scaling.scale_in_cooldown_seconds,
        "ScaleOutCooldown": scaling.scale_out_cooldown_seconds,
    }
    policy = ScalingPolicy(INVOCATIONS_POLICY, TRACKING, invocations)
    return ScalingPlan(endpoint.endpoint_name, scaling.min_instances, scaling.max_instances, (policy,))
