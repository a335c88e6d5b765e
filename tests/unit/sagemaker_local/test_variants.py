"""Which variant of an asynchronous endpoint has the next invocation."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast

from sagemaker_local.control_plane.variants import Variant, VariantSet


class FakeInstance:
    """An instance with room for so many requests; stands where a process would be."""

    def __init__(self, variant: str, room: int) -> None:
        self.variant, self.room, self.in_flight = variant, room, 0

    def acquire(self, most: int) -> bool:
        if self.in_flight >= min(self.room, most):
            return False
        self.in_flight += 1
        return True


class FakeFleet:
    def __init__(self, instances: list[FakeInstance]) -> None:
        self._instances = instances

    def in_service(self) -> list[FakeInstance]:
        return list(self._instances)


def chosen(weights: dict[str, float], rooms: dict[str, list[int]], invocations: int) -> Counter[str | None]:
    """How many invocations each variant got; None counts those that have to wait."""
    variants = {}
    for name, weight in weights.items():
        fleet = FakeFleet([FakeInstance(name, room) for room in rooms[name]])
        variants[name] = Variant(
            spec=cast(Any, None), fleet=cast(Any, fleet), weight=weight, deployed=datetime.now(UTC)
        )
    variant_set = VariantSet(variants)
    instances = [cast(Any, variant_set.acquire_instance(10_000)) for _ in range(invocations)]
    return Counter(instance and instance.variant for instance in instances)


def test_a_variant_of_weight_zero_gets_no_invocation() -> None:
    assert chosen({"a": 1, "b": 0}, {"a": [2], "b": [9]}, 5) == {"a": 2, None: 3}


def test_variants_share_the_invocations_by_weight() -> None:
    shares = chosen({"a": 3, "b": 1}, {"a": [10_000], "b": [10_000]}, 4_000)
    assert 0.7 < shares["a"] / 4_000 < 0.8


def test_no_instance_of_a_variant_with_weight_is_idle_while_an_invocation_waits() -> None:
    assert chosen({"a": 1_000, "b": 0.001}, {"a": [1], "b": [1, 2]}, 5) == {"a": 1, "b": 3, None: 1}


def test_without_any_weight_every_variant_takes_invocations() -> None:
    assert chosen({"a": 0, "b": 0}, {"a": [1], "b": [1]}, 2) == {"a": 1, "b": 1}


def test_the_least_busy_instance_of_a_variant_is_chosen() -> None:
    instances = [FakeInstance("a", 9), FakeInstance("a", 9)]
    only = Variant(
        spec=cast(Any, None),
        fleet=cast(Any, FakeFleet(instances)),
        weight=1.0,
        deployed=datetime.now(UTC),
    )
    for _ in range(4):
        VariantSet({"a": only}).acquire_instance(9)
    assert [instance.in_flight for instance in instances] == [2, 2]
