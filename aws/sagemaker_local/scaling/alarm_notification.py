"""What an SNS topic receives when an alarm changes state. Pure.

Source: "Alarm notifications" in the CloudWatch user guide, and messages captured in the field.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sagemaker_local.scaling.alarm_state import ALARM, INSUFFICIENT_DATA, OK, Alarm, Judgement, State
from sagemaker_local.scaling.moto_records import Region


def subject(alarm: Alarm, region: Region, state: State) -> str:
    """The notification's subject, at most SNS's 100 characters."""
    return f'{state}: "{alarm.name}" in {region.name}'[:100]


def notification(
    alarm: Alarm, region: Region, state: State, before: State, reason: str, at: datetime
) -> dict[str, Any]:
    """The notification's JSON."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": region.account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": _iso(at),
        "Region": region.name,
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        "OKActions": list(alarm.actions[OK]),
        "AlarmActions": list(alarm.actions[ALARM]),
        "InsufficientDataActions": list(alarm.actions[INSUFFICIENT_DATA]),
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": alarm.statistic.upper(),
            "Unit": alarm.unit,
            "Dimensions": [{"name": name, "value": value} for name, value in sorted(alarm.dimensions)],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data,
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def reason_data(alarm: Alarm, judgement: Judgement, at: datetime) -> str:
    """`StateReasonData`: the evaluation as JSON."""
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _iso(at),
        "statistic": alarm.statistic,
        "period": alarm.period,
        "recentDatapoints": [datapoint.value for datapoint in judgement.evaluated],
        "threshold": alarm.threshold,
    }
    if judgement.evaluated:
        data["startDate"] = _iso(judgement.evaluated[0].start)
    return json.dumps(data)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
