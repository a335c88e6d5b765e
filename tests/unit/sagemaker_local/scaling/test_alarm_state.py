"""When an alarm goes off: the two tables of CloudWatch's documentation, and what must hold for every alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.scaling.alarm_state import (
    COMPARISON_OPERATORS,
    Alarm,
    Datapoint,
    State,
    TreatMissingData,
    judge,
)

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STATES: tuple[State, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
TREATMENTS: tuple[TreatMissingData, ...] = ("missing", "ignore", "breaching", "notBreaching")
# A state that none of the tables' other columns contain at the same place, so that "retain current state" shows.
RETAINED: State = "INSUFFICIENT_DATA"


def alarm(
    evaluation_periods: int = 3,
    datapoints_to_alarm: int = 3,
    treat_missing_data: TreatMissingData = "missing",
    comparison_operator: str = "GreaterThanThreshold",
    threshold: float = 5.0,
) -> Alarm:
    return Alarm(
        name="a",
        arn="arn:aws:cloudwatch:us-east-1:123456789012:alarm:a",
        description=None,
        namespace="AWS/SageMaker",
        metric_name="ApproximateBacklogSize",
        dimensions=frozenset({("EndpointName", "e")}),
        unit=None,
        statistic="Average",
        period=60,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints_to_alarm,
        comparison_operator=comparison_operator,
        threshold=threshold,
        treat_missing_data=treat_missing_data,
        actions_enabled=True,
        actions={},
    )


def points(*values: float | None) -> list[Datapoint | None]:
    return [
        None if value is None else Datapoint(START + timedelta(minutes=index), value)
        for index, value in enumerate(values)
    ]


def drawn(row: str) -> list[Datapoint | None]:
    """A row as the documentation draws it: 0 is not breaching, X is breaching, - is missing."""
    return points(*({"0": 1.0, "X": 9.0, "-": None}[sign] for sign in row.split()))


@pytest.mark.parametrize(
    ("row", "datapoints_to_alarm", "states"),
    [
        ("0 - X - X", 3, ("OK", "OK", "OK", "OK")),
        ("0 - - - -", 3, ("OK", "OK", "OK", "OK")),
        ("- - - - -", 3, ("INSUFFICIENT_DATA", RETAINED, "ALARM", "OK")),
        ("0 X X - X", 3, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("- - X - -", 3, ("ALARM", RETAINED, "ALARM", "OK")),
        ("0 - X - X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 0 X 0 X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0 - X - -", 2, ("OK", "OK", "ALARM", "OK")),
        ("- - - - 0", 2, ("OK", "OK", "ALARM", "OK")),
        ("- - - X -", 2, ("ALARM", RETAINED, "ALARM", "OK")),
    ],
)
def test_the_documented_tables(row: str, datapoints_to_alarm: int, states: tuple[State, ...]) -> None:
    judged = tuple(
        judge(alarm(3, datapoints_to_alarm, treatment), drawn(row), RETAINED).state
        for treatment in TREATMENTS
    )
    assert judged == states


@pytest.mark.parametrize("row", ["- - - - X", "- - - X -"])
def test_an_alarm_does_not_go_off_prematurely(row: str) -> None:
    assert judge(alarm(3, 3), drawn(row), "OK").state == "OK"


def test_the_reason_names_the_datapoints_and_the_threshold() -> None:
    reason = judge(alarm(2, 2), points(None, None, 7.0, 8.5), "OK").reason
    assert reason == (
        "Threshold Crossed: 2 out of the last 2 datapoints [7.0 (22/11/26 12:02:00), 8.5 (22/11/26 12:03:00)] were greater "
        "than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )


def test_the_reason_of_a_recovery_names_what_does_not_breach() -> None:
    reason = judge(alarm(1, 1), points(None, None, 1.0), "ALARM").reason
    assert reason == (
        "Threshold Crossed: 1 out of the last 1 datapoint [1.0 (22/11/26 12:02:00)] was not greater than the threshold (5.0) "
        "(minimum 1 datapoint for ALARM -> OK transition)."
    )


def test_the_reason_without_data_says_how_it_was_treated() -> None:
    assert (
        judge(alarm(1, 1, "breaching"), points(None, None, None), "OK").reason
        == "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    )


alarms = st.integers(1, 6).flatmap(
    lambda periods: st.builds(
        alarm,
        evaluation_periods=st.just(periods),
        datapoints_to_alarm=st.integers(1, periods),
        treat_missing_data=st.sampled_from(TREATMENTS),
        comparison_operator=st.sampled_from(sorted(COMPARISON_OPERATORS)),
    )
)
values = st.one_of(st.none(), st.sampled_from([0.0, 4.9, 5.0, 5.1, 100.0]))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Alarm, list[Datapoint | None], State]:
    defined = draw(alarms)
    span = defined.evaluation_range
    found = draw(st.lists(values, min_size=span, max_size=span))
    return defined, points(*found), draw(st.sampled_from(STATES))


@given(situations())
def test_complete_data_decide_alone(situation: tuple[Alarm, list[Datapoint | None], State]) -> None:
    defined, found, previous = situation
    present = [each for each in found if each is not None]
    newest = present[-defined.evaluation_periods :]
    if len(newest) == defined.evaluation_periods:
        breaching = sum(defined.breaches(each.value) for each in newest)
        expected = "ALARM" if breaching >= defined.datapoints_to_alarm else "OK"
        assert judge(defined, found, previous).state == expected


@given(situations())
def test_no_alarm_goes_off_while_nothing_breaches_unless_missing_data_do(
    situation: tuple[Alarm, list[Datapoint | None], State],
) -> None:
    defined, found, previous = situation
    calm = [None if each is None or defined.breaches(each.value) else each for each in found]
    state = judge(defined, calm, previous).state
    if state == "ALARM":
        nothing = not any(calm)
        assert defined.treat_missing_data == "breaching" or (
            defined.treat_missing_data == "ignore" and nothing and previous == "ALARM"
        )


@given(situations())
def test_an_alarm_of_missing_data_is_insufficient_exactly_when_there_are_none(
    situation: tuple[Alarm, list[Datapoint | None], State],
) -> None:
    defined, found, previous = situation
    if defined.treat_missing_data == "missing" and previous != "INSUFFICIENT_DATA":
        insufficient = judge(defined, found, previous).state == "INSUFFICIENT_DATA"
        assert insufficient == (not any(found))


@given(situations())
def test_only_data_of_the_evaluation_range_are_evaluated(
    situation: tuple[Alarm, list[Datapoint | None], State],
) -> None:
    defined, found, previous = situation
    evaluated = judge(defined, found, previous).evaluated
    assert len(evaluated) <= defined.evaluation_periods
    assert list(evaluated) == [each for each in found if each is not None][-len(evaluated) or len(found) :]
