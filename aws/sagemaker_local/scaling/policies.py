"""Scaling policies and scalable targets, read from what was registered. Pure.

Source: PutScalingPolicy and RegisterScalableTarget in the Application Auto Scaling API reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.errors import AwsError

# The default for SageMaker endpoint variants, for both kinds of policy.
DEFAULT_COOLDOWN_SECONDS = 300.0
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
INVOCATIONS_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
_ADJUSTMENT_TYPES = frozenset({"ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"})


@dataclass(frozen=True)
class ScalableTarget:
    """A variant whose instance count may be changed, and within which bounds.

    Attributes:
        out_suspended, in_suspended: whether policies may not add or remove instances now.
    """

    endpoint: str
    variant: str
    minimum: int
    maximum: int
    out_suspended: bool = False
    in_suspended: bool = False


@dataclass(frozen=True)
class Step:
    """One step adjustment. Bounds are relative to the alarm's threshold; None is infinite."""

    lower: float | None
    upper: float | None
    adjustment: int


@dataclass(frozen=True)
class StepScaling:
    """A StepScaling policy.

    Attributes:
        minimum_magnitude: for percentages: change by at least so many instances.
        aggregation: how the datapoints that an alarm evaluated become one value.
    """

    name: str
    arn: str
    adjustment_type: str
    steps: tuple[Step, ...]
    cooldown: float
    minimum_magnitude: int
    aggregation: str


@dataclass(frozen=True)
class TrackedMetric:
    """What a target-tracking policy follows."""

    namespace: str
    metric_name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    unit: str | None


@dataclass(frozen=True)
class TargetTracking:
    """A TargetTrackingScaling policy."""

    name: str
    arn: str
    target: float
    metric: TrackedMetric
    out_cooldown: float
    in_cooldown: float
    scales_in: bool


Policy = StepScaling | TargetTracking


def resource_names(resource_id: str) -> tuple[str, str] | None:
    """Endpoint and variant of `endpoint/<name>/variant/<name>`; None for anything else."""
    parts = resource_id.split("/")
    return (
        (parts[1], parts[3]) if len(parts) == 4 and (parts[0], parts[2]) == ("endpoint", "variant") else None
    )


def read_policy(name: str, arn: str, resource_id: str, kind: str, body: Mapping[str, Any]) -> Policy:
    """A policy from its configuration.

    Arguments:
        kind: `StepScaling` or `TargetTrackingScaling`.
        body: the policy configuration of that kind.

    Raises:
        AwsError: ValidationException, when the configuration makes no sense or needs what is not implemented here.
    """
    if kind == "StepScaling":
        return _read_step_scaling(name, arn, body)
    return _read_target_tracking(name, arn, resource_id, body)


def _read_step_scaling(name: str, arn: str, body: Mapping[str, Any]) -> StepScaling:
    if body.get("AdjustmentType") not in _ADJUSTMENT_TYPES:
        raise _refused(f"AdjustmentType must be one of {', '.join(sorted(_ADJUSTMENT_TYPES))}")
    steps = tuple(
        Step(
            each.get("MetricIntervalLowerBound"),
            each.get("MetricIntervalUpperBound"),
            each["ScalingAdjustment"],
        )
        for each in body.get("StepAdjustments") or ()
    )
    if not steps:
        raise _refused("At least one StepAdjustment must be specified")
    for step in steps:
        if step.lower is not None and step.upper is not None and step.lower >= step.upper:
            raise _refused("A step adjustment's lower bound must be below its upper bound")
    return StepScaling(
        name=name,
        arn=arn,
        adjustment_type=body["AdjustmentType"],
        steps=steps,
        cooldown=float(body.get("Cooldown", DEFAULT_COOLDOWN_SECONDS)),
        minimum_magnitude=int(body.get("MinAdjustmentMagnitude", 0)),
        aggregation=body.get("MetricAggregationType", "Average"),
    )


def _read_target_tracking(name: str, arn: str, resource_id: str, body: Mapping[str, Any]) -> TargetTracking:
    target = body.get("TargetValue")
    if not isinstance(target, int | float) or not 0 < target < math.inf:
        raise _refused("TargetValue must be a number greater than 0")
    return TargetTracking(
        name=name,
        arn=arn,
        target=float(target),
        metric=_read_metric(resource_id, body),
        out_cooldown=float(body.get("ScaleOutCooldown", DEFAULT_COOLDOWN_SECONDS)),
        in_cooldown=float(body.get("ScaleInCooldown", DEFAULT_COOLDOWN_SECONDS)),
        scales_in=not body.get("DisableScaleIn", False),
    )


def _read_metric(resource_id: str, body: Mapping[str, Any]) -> TrackedMetric:
    predefined = body.get("PredefinedMetricSpecification")
    customized = body.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(customized):
        raise _refused(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is needed"
        )
    if predefined:
        names = resource_names(resource_id)
        kind = predefined.get("PredefinedMetricType")
        if kind != INVOCATIONS_PER_INSTANCE or names is None:
            raise _refused(
                f"sagemaker-local does not implement the predefined metric {kind} for {resource_id}; "
                f"it implements {INVOCATIONS_PER_INSTANCE} for endpoint/<name>/variant/<name>"
            )
        dimensions = (("EndpointName", names[0]), ("VariantName", names[1]))
        return TrackedMetric("AWS/SageMaker", "InvocationsPerInstance", dimensions, "Sum", None)
    assert customized is not None
    missing = [each for each in ("MetricName", "Namespace", "Statistic") if not customized.get(each)]
    if missing:
        raise _refused(
            f"CustomizedMetricSpecification needs {', '.join(missing)} (sagemaker-local implements no metric math here)"
        )
    return TrackedMetric(
        namespace=customized["Namespace"],
        metric_name=customized["MetricName"],
        dimensions=tuple(
            sorted((each["Name"], each["Value"]) for each in customized.get("Dimensions") or ())
        ),
        statistic=customized["Statistic"],
        unit=customized.get("Unit"),
    )


def _refused(message: str) -> AwsError:
    return AwsError("ValidationException", message)
