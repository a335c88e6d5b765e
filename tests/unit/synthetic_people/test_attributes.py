import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_people import ATTRIBUTES, HELD_OUT_SEEDS, Person, PhotoAttributes, held_out_people


def test_any_two_held_out_people_differ_in_at_least_three_attributes() -> None:
    people = held_out_people()
    assert len(people) == len(HELD_OUT_SEEDS) == 100
    assert min(one.differences(other) for one, other in itertools.combinations(people, 2)) >= 3


@given(st.integers())
def test_a_seed_outside_the_held_out_range_never_gives_a_held_out_person(seed: int) -> None:
    assert Person.from_seed(seed).held_out == (seed in HELD_OUT_SEEDS)


def test_held_out_seeds_give_the_held_out_people() -> None:
    assert [Person.from_seed(seed) for seed in HELD_OUT_SEEDS] == list(held_out_people())


def test_the_same_seed_gives_the_same_person() -> None:
    assert Person.from_seed(7) == Person.from_seed(7)
    assert len({Person.from_seed(seed) for seed in range(50)}) > 40


def test_no_two_attributes_share_a_value() -> None:
    words = Counter(itertools.chain.from_iterable(ATTRIBUTES.values()))
    assert words.most_common(1)[0][1] == 1


def test_an_unknown_value_is_refused_with_the_values_there_are() -> None:
    with pytest.raises(ValueError, match="skin 'violet' is not one of pale, tan"):
        Person("violet", "red", "short", "glasses", "beard", "cap")
    with pytest.raises(ValueError, match="background 'moon' is not one of"):
        PhotoAttributes("moon", "suit", "smiling")


def test_a_hat_on_a_mohawk_is_refused() -> None:
    with pytest.raises(ValueError, match="would hide the mohawk"):
        Person("tan", "red", "mohawk", "glasses", "beard", "cap")
