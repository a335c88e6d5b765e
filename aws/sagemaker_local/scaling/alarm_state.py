"""In which state an alarm is, from its definition and its metric's datapoints. Pure.

CloudWatch looks a little further back than EvaluationPeriods (the evaluation range), so that a late datapoint does not count as
a missing one. Of the datapoints found there:

- as many as EvaluationPeriods or more: the newest of them decide, and TreatMissingData is not needed;
- fewer: the gaps are filled as TreatMissingData says, as few as possible;
- none: INSUFFICIENT_DATA, the state as it was, ALARM or OK, as TreatMissingData says.

One exception, the premature alarm: when all that is there breaches, but is fewer than DatapointsToAlarm, the alarm goes off only
once the oldest of it is DatapointsToAlarm periods old; until then the state stays.

Sources: "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide, whose two tables are the tests of
this module. AWS says that the length of the evaluation range depends on the period without saying how; it is the tables' here:
two periods more.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
OK: State = "OK"
ALARM: State = "ALARM"
INSUFFICIENT_DATA: State = "INSUFFICIENT_DATA"
TreatMissingData = Literal["missing", "ignore", "breaching", "notBreaching"]

EXTRA_PERIODS = 2
_TIME_FORMAT = "%d/%m/%y %H:%M:%S"

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
COMPARISON_OPERATORS = frozenset(_COMPARISONS)


@dataclass(frozen=True)
class Alarm:
    """A metric alarm's definition, by PutMetricAlarm's names.

    Attributes:
        statistic: `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p90`.
        period: AWS seconds.
        datapoints_to_alarm: how many of `evaluation_periods` must breach.
        actions: ARNs by the state that triggers them.
    """

    name: str
    arn: str
    description: str | None
    namespace: str
    metric_name: str
    dimensions: frozenset[tuple[str, str]]
    unit: str | None
    statistic: str
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    comparison_operator: str
    threshold: float
    treat_missing_data: TreatMissingData
    actions_enabled: bool
    actions: Mapping[State, tuple[str, ...]]

    @property
    def evaluation_range(self) -> int:
        """How many periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        return _COMPARISONS[self.comparison_operator][0](value, self.threshold)


@dataclass(frozen=True)
class Datapoint:
    """The statistic over one period that has data."""

    start: datetime
    value: float


@dataclass(frozen=True)
class Judgement:
    """The outcome of one evaluation.

    Attributes:
        reason: CloudWatch's sentence, for `StateReason`.
        evaluated: the datapoints that decided, oldest first.
    """

    state: State
    reason: str
    evaluated: tuple[Datapoint, ...]


def judge(alarm: Alarm, datapoints: Sequence[Datapoint | None], previous: State) -> Judgement:
    """Evaluate an alarm.

    Arguments:
        datapoints: one for each period of the evaluation range, oldest first; None for a period without data.
        previous: the state until now.
    """
    found = [datapoint for datapoint in datapoints if datapoint is not None]
    evaluated = tuple(found[-alarm.evaluation_periods :])
    breaching = sum(alarm.breaches(datapoint.value) for datapoint in evaluated)
    filled = alarm.evaluation_periods - len(evaluated)
    treatment = alarm.treat_missing_data
    if not evaluated:
        return _judge_nothing(alarm, previous)
    filled_breaching = filled if treatment == "breaching" else 0
    if breaching + filled_breaching >= alarm.datapoints_to_alarm:
        return Judgement(ALARM, _crossed(alarm, evaluated, ALARM, previous, filled), evaluated)
    if filled and treatment in ("missing", "ignore") and breaching == len(evaluated):
        return _judge_premature(alarm, datapoints, evaluated, previous, filled)
    return Judgement(OK, _crossed(alarm, evaluated, OK, previous, filled), evaluated)


def _judge_nothing(alarm: Alarm, previous: State) -> Judgement:
    count = alarm.evaluation_periods
    if alarm.treat_missing_data == "missing":
        reason = f"Insufficient Data: {_counted(count, 'datapoint')} {_were(count)} unknown."
        return Judgement(INSUFFICIENT_DATA, reason, ())
    state = {"ignore": previous, "breaching": ALARM, "notBreaching": OK}[alarm.treat_missing_data]
    reason = f"Threshold Crossed: no datapoints were received for {_counted(count, 'period')}"
    return Judgement(state, f"{reason}{_treated(alarm, count)}.", ())


def _judge_premature(
    alarm: Alarm,
    datapoints: Sequence[Datapoint | None],
    evaluated: tuple[Datapoint, ...],
    previous: State,
    filled: int,
) -> Judgement:
    oldest = next(index for index, datapoint in enumerate(datapoints) if datapoint is not None)
    old_enough = len(datapoints) - oldest >= alarm.datapoints_to_alarm
    state = ALARM if old_enough and alarm.treat_missing_data == "missing" else previous
    return Judgement(state, _crossed(alarm, evaluated, state, previous, filled), evaluated)


def _crossed(
    alarm: Alarm, evaluated: tuple[Datapoint, ...], state: State, previous: State, filled: int
) -> str:
    concerned = [each for each in evaluated if alarm.breaches(each.value) == (state == ALARM)] or evaluated
    shown = ", ".join(f"{each.value} ({each.start.strftime(_TIME_FORMAT)})" for each in concerned)
    negation = "" if alarm.breaches(concerned[-1].value) else "not "
    needed = alarm.datapoints_to_alarm
    if state != ALARM:
        needed = alarm.evaluation_periods - alarm.datapoints_to_alarm + 1
    return (
        f"Threshold Crossed: {len(concerned)} out of the last {_counted(len(evaluated), 'datapoint')} [{shown}] "
        f"{_were(len(concerned))} {negation}{_COMPARISONS[alarm.comparison_operator][1]} the threshold ({alarm.threshold}) "
        f"(minimum {_counted(needed, 'datapoint')} for {previous} -> {state} transition){_treated(alarm, filled)}."
    )


def _treated(alarm: Alarm, filled: int) -> str:
    treatment = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(alarm.treat_missing_data)
    if not filled or treatment is None:
        return ""
    return f" and {_counted(filled, 'missing datapoint')} {_were(filled)} treated as [{treatment}]"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
