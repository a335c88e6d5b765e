"""The two alarms that Application Auto Scaling keeps for a target-tracking policy. Pure.

AlarmHigh goes off after three minutes above the target, AlarmLow after fifteen minutes more than 10 % below it. They are
ordinary alarms, visible in DescribeAlarms, and are replaced with every PutScalingPolicy. A policy that must not remove instances
has no AlarmLow.

Sources: names and description from policies described in the field; periods from AWS's statement that a policy adds quickly and
removes gradually and from the same descriptions.
"""

from __future__ import annotations

import uuid

from sagemaker_local.scaling.alarm_state import ALARM, Alarm
from sagemaker_local.scaling.policies import TargetTracking

PERIOD_SECONDS = 60
HIGH_PERIODS = 3
LOW_PERIODS = 15
LOW_SHARE = 0.9


def tracking_alarms(policy: TargetTracking, resource_id: str) -> list[Alarm]:
    """The alarms of a policy, without ARNs.

    Arguments:
        resource_id: `endpoint/<name>/variant/<name>`.
    """
    alarms = [_alarm(policy, resource_id, "AlarmHigh", "GreaterThanThreshold", policy.target, HIGH_PERIODS)]
    if policy.scales_in:
        low = policy.target * LOW_SHARE
        alarms.append(_alarm(policy, resource_id, "AlarmLow", "LessThanThreshold", low, LOW_PERIODS))
    return alarms


def policy_arn_of(action: str) -> str:
    """The policy that an alarm action names: target tracking's own alarms add who created them."""
    return action.partition(":createdBy/")[0]


def _alarm(
    policy: TargetTracking, resource_id: str, kind: str, comparison: str, threshold: float, periods: int
) -> Alarm:
    metric = policy.metric
    return Alarm(
        name=f"TargetTracking-{resource_id}-{kind}-{uuid.uuid4()}",
        arn="",
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
        namespace=metric.namespace,
        metric_name=metric.metric_name,
        dimensions=frozenset(metric.dimensions),
        unit=metric.unit,
        statistic=metric.statistic,
        period=PERIOD_SECONDS,
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
        comparison_operator=comparison,
        threshold=threshold,
        treat_missing_data="missing",
        actions_enabled=True,
        actions={ALARM: (f"{policy.arn}:createdBy/{uuid.uuid4()}",)},
    )
