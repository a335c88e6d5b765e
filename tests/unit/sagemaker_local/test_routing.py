"""Which instance serves a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.multi_model.routing import REQUESTS_PER_COPY, Candidate, choose

NAMES = st.lists(st.uuids().map(str), min_size=2, max_size=6, unique=True)


@st.composite
def instances(draw: st.DrawFn) -> list[Candidate]:
    return [
        Candidate(
            name,
            loaded=draw(st.booleans()),
            on_disk=draw(st.booleans()),
            requests=draw(st.integers(0, 2 * REQUESTS_PER_COPY)),
        )
        for name in draw(NAMES)
    ]


def cold(*names: str) -> list[Candidate]:
    return [Candidate(name, loaded=False, on_disk=False, requests=0) for name in names]


def test_memory_is_preferred_to_disk_and_disk_to_nothing() -> None:
    nothing, disk, memory = (
        Candidate("n", False, False, 0),
        Candidate("d", False, True, 0),
        Candidate("m", True, True, 0),
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


@given(instances(), st.text())
def test_an_instance_that_has_its_share_is_passed_over_while_another_has_room(
    candidates: list[Candidate], target: str
) -> None:
    chosen = choose(target, candidates)
    if any(candidate.requests < REQUESTS_PER_COPY for candidate in candidates):
        assert chosen.requests < REQUESTS_PER_COPY
    else:
        assert chosen.requests == min(candidate.requests for candidate in candidates)


@given(instances(), st.text())
def test_no_copy_is_made_while_a_holder_has_room(candidates: list[Candidate], target: str) -> None:
    if any(each.loaded and each.requests < REQUESTS_PER_COPY for each in candidates):
        assert choose(target, candidates).loaded


@given(NAMES, st.text(), st.integers(1, 40))
def test_a_burst_spreads_over_just_as_many_instances_as_it_needs(
    names: list[str], target: str, burst: int
) -> None:
    serving = {name: replace(candidate) for name, candidate in zip(names, cold(*names), strict=True)}
    for _ in range(burst):
        chosen = choose(target, list(serving.values()))
        serving[chosen.instance_id] = replace(chosen, loaded=True, on_disk=True, requests=chosen.requests + 1)
    used = Counter({name: each.requests for name, each in serving.items() if each.requests})
    assert len(used) == min(len(names), -(-burst // REQUESTS_PER_COPY))
    assert max(used.values()) <= max(REQUESTS_PER_COPY, -(-burst // len(names)))


@given(NAMES, st.text())
def test_when_a_hot_model_is_cold_again_its_traffic_goes_to_one_instance(
    names: list[str], target: str
) -> None:
    copies = [Candidate(name, loaded=True, on_disk=True, requests=0) for name in names]
    home = choose(target, copies)
    busy = [replace(each, requests=each.requests + (each == home)) for each in copies]
    assert choose(target, busy).instance_id == home.instance_id
    assert home.instance_id == choose(target, cold(*names)).instance_id
