"""What scaling needs of moto's insides: alarms, metric data, scalable targets and policies.

Like moto_bridge.py for SageMaker, this is the one file that a moto upgrade may break. Two things make the public APIs unfit
here: evaluation runs for all accounts and regions at once, with nobody's credentials, and GetMetricData cannot cut a period
shorter than a second, which a fast clock needs.

moto's Application Auto Scaling brings all of moto's EC2 along, a third of the time that this server takes to start: it is
imported when it is first needed.

Every read works on a snapshot: moto answers other threads meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from moto.backends import get_backend
from moto.cloudwatch.models import MetricAggregatedDatum, MetricDatum, cloudwatch_backends
from moto.sns.models import sns_backends

from sagemaker_local.scaling.alarm_state import (
    ALARM,
    COMPARISON_OPERATORS,
    INSUFFICIENT_DATA,
    OK,
    Alarm,
    State,
    TreatMissingData,
)
from sagemaker_local.scaling.metric_statistics import Sample
from sagemaker_local.scaling.policies import DIMENSION

MetricKey = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""


@dataclass(frozen=True)
class Region:
    """One region of one account."""

    account: str
    name: str


@dataclass(frozen=True)
class StoredAlarm:
    """An alarm in moto.

    Attributes:
        record: moto's object; PutMetricAlarm replaces it.
        definition: None for what cannot be evaluated here: metric math, composite alarms, anomaly detection.
    """

    region: Region
    record: Any
    definition: Alarm | None

    @property
    def state(self) -> State:
        return cast(State, self.record.state_value)

    @property
    def untouched(self) -> bool:
        """Whether moto has just made it: moto's alarms start as OK, CloudWatch's as INSUFFICIENT_DATA."""
        return str(self.record.state_reason) == "Unchecked: Initial alarm creation"


def stored_alarms() -> list[StoredAlarm]:
    """All alarms of all accounts and regions."""
    return [
        StoredAlarm(region, record, _definition(record))
        for region, backend in _backends(cloudwatch_backends)
        for record in list(backend.alarms.values())
    ]


def set_state(alarm: StoredAlarm, state: State, reason: str, reason_data: str) -> None:
    """Give an alarm a state, as SetAlarmState does."""
    alarm.record.update_state(reason, reason_data, state)


def put_alarm(region: Region, alarm: Alarm) -> Any:
    """Create an alarm. Returns moto's object."""
    return cloudwatch_backends[region.account][region.name].put_metric_alarm(
        name=alarm.name,
        namespace=alarm.namespace,
        metric_name=alarm.metric_name,
        comparison_operator=alarm.comparison_operator,
        evaluation_periods=alarm.evaluation_periods,
        datapoints_to_alarm=alarm.datapoints_to_alarm,
        period=alarm.period,
        threshold=alarm.threshold,
        statistic=alarm.statistic,
        description=alarm.description or "",
        dimensions=[{"Name": name, "Value": value} for name, value in sorted(alarm.dimensions)],
        alarm_actions=list(alarm.actions.get(ALARM, ())),
        unit=alarm.unit,
        treat_missing_data=alarm.treat_missing_data,
    )


def samples_since(region: Region, position: int) -> tuple[list[tuple[MetricKey, Sample]], int, bool]:
    """The metric data that have come since a position.

    Arguments:
        position: 0 for all, else what the last call returned.

    Returns:
        The samples by metric, the new position, and whether the data were reset and these are all there are.
    """
    data = cloudwatch_backends[region.account][region.name].metric_data
    end = len(data)
    was_reset = end < position
    return [_sample(datum) for datum in data[0 if was_reset else position : end]], end, was_reset


def publish(region: Region, topic: str, subject: str, message: str) -> None:
    """Publish to an SNS topic of the same account and region. Raises what moto raises."""
    sns_backends[region.account][region.name].publish(message=message, arn=topic, subject=subject)


def scalable_targets(region: Region) -> list[dict[str, Any]]:
    """The registered SageMaker variants, by RegisterScalableTarget's member names."""
    targets = _autoscaling(region).targets.get(DIMENSION, {})
    return [
        {
            "ResourceId": target.resource_id,
            "MinCapacity": target.min_capacity,
            "MaxCapacity": target.max_capacity,
            "SuspendedState": target.suspended_state or {},
        }
        for target in list(targets.values())
    ]


def stored_policies(region: Region) -> list[Any]:
    """The scaling policies of SageMaker variants: moto's objects."""
    policies = list(_autoscaling(region).policies.values())
    return [policy for policy in policies if policy.scalable_dimension == DIMENSION]


def find_policy(region: Region, resource_id: str, name: str) -> Any:
    """One of them, or None."""
    for policy in stored_policies(region):
        if (policy.resource_id, policy.policy_name) == (resource_id, name):
            return policy
    return None


def policy_body(policy: Any) -> Mapping[str, Any]:
    """A stored policy's configuration."""
    return cast(Mapping[str, Any], policy._policy_body)


def correct_policy(policy: Any, arn: str | None, alarms: list[Any]) -> None:
    """Keep the ARN of the policy that this one replaces, as AWS does, and attach alarms: moto shows and deletes them with it."""
    if arn is not None:
        policy.policy_arn = arn
    policy.alarms = alarms


def delete_policy_alarms(region: Region, policy: Any) -> None:
    """Delete the alarms that belong to a policy."""
    policy.delete_alarms(region.account, region.name)
    policy.alarms = []


def delete_policies(region: Region, resource_id: str) -> None:
    """Delete a variant's policies with their alarms, as AWS does when the target is deregistered."""
    backend = _autoscaling(region)
    for policy in stored_policies(region):
        if policy.resource_id == resource_id:
            backend.delete_scaling_policy(policy.policy_name, "sagemaker", resource_id, DIMENSION)


def _autoscaling(region: Region) -> Any:
    return get_backend("applicationautoscaling")[region.account][region.name]


def _backends(all_backends: Any) -> Iterator[tuple[Region, Any]]:
    for account, regions in list(all_backends.items()):
        for name, backend in list(regions.items()):
            yield Region(account, name), backend


def _definition(record: Any) -> Alarm | None:
    statistic = record.statistic or record.extended_statistic
    if (
        record.rule is not None
        or record.metric_data_queries
        or not statistic
        or not record.period
        or record.comparison_operator not in COMPARISON_OPERATORS
    ):
        return None
    actions: dict[State, tuple[str, ...]] = {
        ALARM: tuple(record.alarm_actions or ()),
        OK: tuple(record.ok_actions or ()),
        INSUFFICIENT_DATA: tuple(record.insufficient_data_actions or ()),
    }
    return Alarm(
        name=record.name,
        arn=record.alarm_arn,
        description=record.description,
        namespace=record.namespace,
        metric_name=record.metric_name,
        dimensions=_dimensions(record),
        unit=record.unit,
        statistic=statistic,
        period=int(record.period),
        evaluation_periods=int(record.evaluation_periods),
        datapoints_to_alarm=int(record.datapoints_to_alarm or record.evaluation_periods),
        comparison_operator=record.comparison_operator,
        threshold=float(record.threshold),
        treat_missing_data=cast(TreatMissingData, record.treat_missing_data or "missing"),
        actions_enabled=bool(record.actions_enabled),
        actions=actions,
    )


def _sample(datum: Any) -> tuple[MetricKey, Sample]:
    key = (datum.namespace, datum.name, _dimensions(datum))
    taken = _aware(datum.timestamp)
    if isinstance(datum, MetricAggregatedDatum):
        return key, Sample(taken, datum.unit, datum.sample_count, datum.sum, datum.min, datum.max)
    assert isinstance(datum, MetricDatum)
    return key, Sample(taken, datum.unit, 1, datum.value, datum.value, datum.value)


def _dimensions(holder: Any) -> frozenset[tuple[str, str]]:
    return frozenset((dimension.name, dimension.value) for dimension in holder.dimensions)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
