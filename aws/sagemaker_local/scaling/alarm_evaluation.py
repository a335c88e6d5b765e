"""Alarms are evaluated as time passes, and tell SNS when their state changes.

    moto's metric data ──new samples──> per metric ──> datapoints ──> judge() ──> state in moto, SNS, and who scales

An alarm is evaluated at once when it is new and then every minute (every ten seconds when its period is shorter), on the AWS
clock. Its periods shrink with that clock too, down to a real second, which is as finely as SageMaker's metrics are written here.
Only periods that ended a moment ago are looked at, so that what is written in batches has arrived.

Metric data are read once, as they come: an evaluation costs what is new, not what moto has kept. Without alarms nothing is read.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sagemaker_local.clock import Clock
from sagemaker_local.scaling import moto_records
from sagemaker_local.scaling.alarm_notification import notification, reason_data, subject
from sagemaker_local.scaling.alarm_state import (
    INSUFFICIENT_DATA,
    Alarm,
    Datapoint,
    Judgement,
    State,
    judge,
)
from sagemaker_local.scaling.metric_statistics import Sample, datapoints
from sagemaker_local.scaling.moto_records import MetricKey, Region, StoredAlarm

logger = logging.getLogger(__name__)

# SageMaker's metrics are gathered for a second and then written.
ARRIVAL_SECONDS = 2.0
SHORTEST_PERIOD_SECONDS = 1.0
MAX_SAMPLES_PER_METRIC = 20_000
_STANDARD_RESOLUTION = 60


@dataclass
class _Watched:
    """An alarm as it was seen last."""

    record: object
    state: State
    evaluated_in: int | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Evaluated:
    """An alarm with its present state.

    Attributes:
        values: the datapoints of its last evaluation; empty when somebody set the state by hand.
        fresh: whether it was evaluated just now, or its state was set by somebody: its scaling actions are due.
    """

    region: Region
    alarm: Alarm
    state: State
    values: tuple[float, ...]
    fresh: bool


class AlarmEvaluation:
    """The alarms of all accounts and regions. Used by one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[tuple[Region, str], _Watched] = {}
        self._samples: dict[Region, dict[MetricKey, deque[Sample]]] = {}
        self._positions: dict[Region, int] = {}
        self._complained: set[tuple[Region, str]] = set()

    def evaluate(self, stored: Sequence[StoredAlarm], now: datetime) -> list[Evaluated]:
        """Bring all alarms up to date.

        Returns:
            Every alarm that can be evaluated, with its state.
        """
        present = {(each.region, each.record.name) for each in stored}
        self._watched = {key: watched for key, watched in self._watched.items() if key in present}
        if not stored:
            self._samples.clear()
            self._positions.clear()
            return []
        for region in {each.region for each in stored}:
            self._read(region)
        return [
            self._evaluate(each, each.definition, now)
            for each in stored
            if self._evaluable(each) and each.definition
        ]

    def _evaluable(self, stored: StoredAlarm) -> bool:
        key = (stored.region, stored.record.name)
        if stored.definition is None and key not in self._complained:
            self._complained.add(key)
            logger.warning(
                "alarm %s is not evaluated: sagemaker-local implements alarms on one metric with a static threshold",
                stored.record.name,
            )
        return stored.definition is not None

    def _evaluate(self, stored: StoredAlarm, alarm: Alarm, now: datetime) -> Evaluated:
        watched = self._watch(stored)
        set_by_hand = stored.state != watched.state
        interval = self._real(_STANDARD_RESOLUTION if alarm.period >= _STANDARD_RESOLUTION else 10)
        turn = int(now.timestamp() // interval)
        due = watched.evaluated_in != turn and not set_by_hand
        watched.evaluated_in = turn
        if set_by_hand:
            before, watched.state, watched.judgement = watched.state, stored.state, None
            self._tell(stored, alarm, before, now)
        elif due:
            watched.judgement = judge(alarm, self._datapoints(stored.region, alarm, now), watched.state)
            self._enter(stored, alarm, watched, watched.judgement, now)
        values = tuple(each.value for each in watched.judgement.evaluated) if watched.judgement else ()
        return Evaluated(stored.region, alarm, watched.state, values, due or set_by_hand)

    def _watch(self, stored: StoredAlarm) -> _Watched:
        key = (stored.region, stored.record.name)
        watched = self._watched.get(key)
        if watched is None or watched.record is not stored.record:
            state: State = watched.state if watched is not None else INSUFFICIENT_DATA
            if stored.untouched:
                moto_records.set_state(stored, state, str(stored.record.state_reason), "{}")
            watched = self._watched[key] = _Watched(stored.record, state)
        return watched

    def _enter(
        self, stored: StoredAlarm, alarm: Alarm, watched: _Watched, judgement: Judgement, now: datetime
    ) -> None:
        if judgement.state == watched.state and not stored.untouched:
            return
        moto_records.set_state(stored, judgement.state, judgement.reason, reason_data(alarm, judgement, now))
        before, watched.state = watched.state, judgement.state
        if before != judgement.state:
            self._tell(stored, alarm, before, now)

    def _tell(self, stored: StoredAlarm, alarm: Alarm, before: State, now: datetime) -> None:
        if not alarm.actions_enabled:
            return
        for action in alarm.actions[stored.state]:
            if ":sns:" not in action:
                continue
            message = notification(
                alarm, stored.region, stored.state, before, stored.record.state_reason, now
            )
            try:
                moto_records.publish(
                    stored.region, action, subject(alarm, stored.region, stored.state), json.dumps(message)
                )
            except Exception as error:
                logger.warning("alarm %s could not publish to %s: %s", alarm.name, action, error)

    def _datapoints(self, region: Region, alarm: Alarm, now: datetime) -> list[Datapoint | None]:
        key = (alarm.namespace, alarm.metric_name, alarm.dimensions)
        samples: Iterable[Sample] = self._samples[region].get(key, ())
        if alarm.unit:
            samples = (sample for sample in samples if sample.unit == alarm.unit)
        return datapoints(
            samples,
            alarm.statistic,
            timedelta(seconds=self._real(alarm.period)),
            alarm.evaluation_range,
            now - timedelta(seconds=ARRIVAL_SECONDS),
        )

    def _read(self, region: Region) -> None:
        found, position, was_reset = moto_records.samples_since(region, self._positions.get(region, 0))
        self._positions[region] = position
        samples = self._samples.setdefault(region, {})
        if was_reset:
            samples.clear()
        for key, sample in found:
            samples.setdefault(key, deque(maxlen=MAX_SAMPLES_PER_METRIC)).append(sample)

    def _real(self, aws_seconds: float) -> float:
        return max(self._clock.real(aws_seconds), SHORTEST_PERIOD_SECONDS)
