"""Which instance serves a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.multi_model.routing import Candidate, choose

NAMES = st.lists(st.uuids().map(str), min_size=2, max_size=6, unique=True)


def cold(*names: str) -> list[Candidate]:
    return [Candidate(name, loaded=False, on_disk=False) for name in names]


def test_memory_is_preferred_to_disk_and_disk_to_nothing() -> None:
    nothing, disk, memory = (
        Candidate("n", False, False),
        Candidate("d", False, True),
        Candidate("m", True, True),
    )
    assert choose("x", [nothing, disk, memory]) is memory
    assert choose("x", [nothing, disk]) is disk


@given(NAMES, st.text())
def test_a_cold_model_always_goes_to_the_same_instance(names: list[str], target: str) -> None:
    assert choose(target, cold(*names)) == choose(target, cold(*reversed(names)))


@given(NAMES, st.text())
def test_only_the_models_of_a_leaving_instance_move(names: list[str], target: str) -> None:
    home = choose(target, cold(*names)).instance_id
    leaving = next(name for name in names if name != home)
    assert choose(target, cold(*(name for name in names if name != leaving))).instance_id == home


def test_cold_models_spread_over_the_instances() -> None:
    homes = {choose(str(number), cold("a", "b")).instance_id for number in range(64)}
    assert homes == {"a", "b"}
