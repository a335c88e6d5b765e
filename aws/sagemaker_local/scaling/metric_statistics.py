"""From samples to the datapoints that an alarm looks at: one statistic per period. Pure.

Periods are aligned to the epoch and only those that have ended count. A sample belongs to the period in which it was taken, not
to the one in which it arrived, so nothing is counted twice.

Source: "Statistics" and "Percentiles" in the CloudWatch user guide. A percentile needs single values; a statistic set has one
only when all its values are equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sagemaker_local.scaling.alarm_state import Datapoint


@dataclass(frozen=True)
class Sample:
    """What one PutMetricData datum says: a single value (count 1), or a set of values.

    Attributes:
        taken: aware of its time zone.
    """

    taken: datetime
    unit: str | None
    count: float
    total: float
    minimum: float
    maximum: float


def datapoints(
    samples: Iterable[Sample], statistic: str, period: timedelta, count: int, now: datetime
) -> list[Datapoint | None]:
    """The statistic over each of the last `count` whole periods before `now`, oldest first; None where there is no data.

    Arguments:
        period: in real time.
    """
    seconds = period.total_seconds()
    end = math.floor(now.timestamp() / seconds)
    grouped: dict[int, list[Sample]] = {}
    for sample in samples:
        index = math.floor(sample.taken.timestamp() / seconds)
        if end - count <= index < end:
            grouped.setdefault(index, []).append(sample)
    return [
        _datapoint(grouped.get(index, ()), statistic, index * seconds) for index in range(end - count, end)
    ]


def _datapoint(samples: Sequence[Sample], statistic: str, start: float) -> Datapoint | None:
    value = _value(samples, statistic)
    return None if value is None else Datapoint(datetime.fromtimestamp(start, UTC), value)


def _value(samples: Sequence[Sample], statistic: str) -> float | None:
    samples = [sample for sample in samples if sample.count > 0]
    if not samples:
        return None
    count = sum(sample.count for sample in samples)
    total = sum(sample.total for sample in samples)
    match statistic:
        case "Sum":
            return total
        case "SampleCount":
            return count
        case "Average":
            return total / count
        case "Minimum":
            return min(sample.minimum for sample in samples)
        case "Maximum":
            return max(sample.maximum for sample in samples)
    return _percentile(samples, float(statistic.removeprefix("p")))


def _percentile(samples: Sequence[Sample], percent: float) -> float | None:
    """The smallest value that at least `percent` of the values do not exceed (nearest rank)."""
    if any(sample.minimum != sample.maximum for sample in samples):
        return None
    ordered = sorted(samples, key=lambda sample: sample.minimum)
    rank = percent / 100 * sum(sample.count for sample in ordered)
    passed = 0.0
    for sample in ordered:
        passed += sample.count
        if passed >= rank:
            return sample.minimum
    return ordered[-1].maximum
