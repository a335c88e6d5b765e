"""Turns, one promise after the other; any order of everything is tried with the work queue's properties."""

import pytest

from avatar_operator.core.turns import Turns


def of(*items: str) -> Turns[str, str]:
    """Items that wait; each belongs to the party that its first letter names."""
    turns: Turns[str, str] = Turns()
    for item in items:
        turns.add(item[0], item)
    return turns


def taken(turns: Turns[str, str], count: int) -> list[str]:
    """What comes next, each over before the next is taken."""
    items = []
    for _ in range(count):
        party, item = turns.take()
        turns.done(party)
        items.append(item)
    return items


def test_one_party_is_served_first_come_first_served() -> None:
    assert taken(of("a1", "a2", "a3"), 3) == ["a1", "a2", "a3"]


def test_parties_take_turns_and_nobody_is_overtaken_in_a_line() -> None:
    turns = of("a1", "a2", "a3", "b1", "b2", "c1")

    assert taken(turns, 6) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_whoever_comes_while_somebody_is_served_is_next() -> None:
    turns = of("a1", "a2", "a3")
    party, _ = turns.take()
    turns.add("b", "b1")
    turns.done(party)

    assert taken(turns, 3) == ["b1", "a2", "a3"]


def test_who_has_least_under_way_comes_first_though_others_have_waited_longer() -> None:
    turns = of("a1", "a2", "a3")
    turns.take()
    turns.take()
    turns.add("b", "b1")
    turns.add("b", "b2")

    assert [turns.take()[1] for _ in range(3)] == ["b1", "b2", "a3"]


def test_what_is_dropped_was_that_partys_turn() -> None:
    turns = of("a1", "a2", "b1")

    assert turns.is_first("a", turns.first_of("a"))
    assert turns.drop_first_of("a") == "a1"
    assert turns.next_party() == "b"
    assert list(turns) == ["b1", "a2"]


def test_the_longest_line_is_known() -> None:
    assert of("a1", "b1", "b2", "c1").longest_line() == "b"


def test_a_party_of_which_nothing_waits_has_no_first() -> None:
    turns = of("a1")

    assert not turns.is_first("b", "a1")
    assert (len(turns), turns.parties()) == (1, 1)


def test_nobody_is_next_where_nobody_waits() -> None:
    turns = of("a1")
    turns.take()

    with pytest.raises(LookupError):
        turns.next_party()
