"""Setting conditions: what moves, what stays."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from avatar_api.meta import Condition, ConditionStatus
from avatar_operator.core.conditions import (
    MESSAGE_LIMIT,
    find_condition,
    is_true,
    shortened,
    with_condition,
)
from builders.clock import NOON
from builders.objects import a_condition

LATER = NOON + timedelta(minutes=5)
STATUSES: list[ConditionStatus] = ["True", "False", "Unknown"]


def _set(conditions: list[Condition], status: ConditionStatus, reason: str = "Because") -> list[Condition]:
    return with_condition(conditions, "Ready", status, reason, "", now=LATER, generation=7)


def test_a_new_condition_is_appended() -> None:
    accepted = a_condition("Accepted")

    conditions = _set([accepted], "True")

    assert [condition.type for condition in conditions] == ["Accepted", "Ready"]
    assert conditions[0] == accepted


def test_the_order_of_conditions_stays() -> None:
    conditions = _set([a_condition("Ready", "False"), a_condition("Accepted")], "True")

    assert [condition.type for condition in conditions] == ["Ready", "Accepted"]


def test_the_transition_time_stays_while_the_status_does() -> None:
    (condition,) = _set([a_condition("Ready", "False", "Old")], "False", reason="New")

    assert (condition.last_transition_time, condition.reason) == (NOON, "New")


def test_the_transition_time_moves_when_the_status_flips() -> None:
    (condition,) = _set([a_condition("Ready", "False")], "True")

    assert condition.last_transition_time == LATER


def test_a_condition_says_for_which_generation_it_holds() -> None:
    (condition,) = _set([a_condition("Ready", generation=3)], "True")

    assert condition.observed_generation == 7


def test_a_message_is_cut_to_the_limit() -> None:
    conditions = with_condition([], "Ready", "True", "Because", "x" * 5000, now=NOON, generation=1)

    assert len(conditions[0].message) == MESSAGE_LIMIT
    assert conditions[0].message.endswith("…")


def test_a_message_at_the_limit_stays_whole() -> None:
    assert shortened("x" * MESSAGE_LIMIT) == "x" * MESSAGE_LIMIT


def test_an_absent_condition_is_not_true() -> None:
    assert find_condition([], "Ready") is None
    assert not is_true([], "Ready")


def test_an_unknown_condition_is_not_true() -> None:
    assert not is_true([a_condition("Ready", "Unknown")], "Ready")


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(STATUSES)), max_size=20))
def test_setting_a_condition_again_changes_nothing(steps: list[tuple[str, ConditionStatus]]) -> None:
    conditions: list[Condition] = []
    for condition_type, status in steps:
        conditions = with_condition(conditions, condition_type, status, "R", "m", now=NOON, generation=1)
        again = with_condition(conditions, condition_type, status, "R", "m", now=LATER, generation=1)

        assert again == conditions
        assert len({condition.type for condition in conditions}) == len(conditions)
