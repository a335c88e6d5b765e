"""The production variants of one configuration: brought up, invoked and ended together.

An endpoint has one set of variants that serves. While it is updated, a second set is brought up beside it, takes its place, and
the first finishes what it has in flight.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock
from sagemaker_local.control_plane.specs import EndpointSpec, VariantSpec
from sagemaker_local.errors import validation_error
from sagemaker_local.instances.container_spec import Placement
from sagemaker_local.instances.fleet import Fleet
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.instances.instance import Instance
from sagemaker_local.side_by_side import side_by_side


@dataclass
class Variant:
    """A production variant that runs: its specification, its fleet and its present weight."""

    spec: VariantSpec
    fleet: Fleet
    weight: float
    deployed: datetime


class VariantSet:
    """The variants of one configuration by name; none of them has instances before it is scaled."""

    def __init__(self, variants: Mapping[str, Variant]) -> None:
        self.by_name = dict(variants)

    @classmethod
    def of(
        cls,
        spec: EndpointSpec,
        host: InstanceHost,
        scope: Scope,
        endpoint: str,
        weights: Mapping[str, float],
        on_capacity: Callable[[], None],
    ) -> VariantSet:
        """The variants of a configuration.

        Arguments:
            weights: traffic shares of those that shall have another than the configuration's.
            on_capacity: called without locks whenever requests may find room.
        """

        def variant(part: VariantSpec) -> Variant:
            fleet = Fleet(host, Placement(scope, endpoint, part.name), part.container, on_capacity)
            return Variant(part, fleet, weights.get(part.name, part.weight), Clock.now())

        return cls({part.name: variant(part) for part in spec.variants})

    def initial_counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """How many instances each variant starts with: as in `counts`, or as its configuration says."""
        return {name: counts.get(name, variant.spec.instance_count) for name, variant in self.by_name.items()}

    def scale(self, counts: Mapping[str, int]) -> None:
        """Start or retire instances of the named variants. Returns at once."""
        for name, count in counts.items():
            self.by_name[name].fleet.scale(count)

    def await_counts(self, counts: Mapping[str, int]) -> str:
        """Wait until the named variants have been scaled. Returns why one of them will not be, or an empty string."""
        for name in counts:
            reason = self.by_name[name].fleet.await_desired()
            if reason:
                return _failure_reason(name, reason)
        return ""

    def choose(self, wanted: str | None, endpoint: str) -> Variant:
        """The variant for one request: the one asked for, or one drawn by weight.

        Raises:
            AwsError: ValidationError when there is no such variant.
        """
        if wanted is not None:
            if wanted not in self.by_name:
                raise validation_error(f"Variant {wanted} not found in endpoint {endpoint}.")
            return self.by_name[wanted]
        variants = list(self.by_name.values())
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if any(weights) else None)[0]  # noqa: S311  # load balancing

    def acquire_instance(self, most: int) -> Instance | None:
        """A serving instance with room below `most` requests, with its place taken.

        A variant with room is drawn by weight, and of its instances the least busy one is taken: shares follow the weights where
        there is room to choose, and no instance idles where there is not. A variant of weight 0 gets nothing, as on AWS, unless
        all weights are 0.
        """
        for variant in self._drawn_by_weight():
            for instance in sorted(variant.fleet.in_service(), key=lambda instance: instance.in_flight):
                if instance.acquire(most):
                    return instance
        return None

    def _drawn_by_weight(self) -> list[Variant]:
        """Those that take traffic, in an order in which each comes first as often as its weight says.

        Source: Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006).
        """
        weighty = [variant for variant in self.by_name.values() if variant.weight > 0]
        if not weighty:
            return random.sample(list(self.by_name.values()), len(self.by_name))
        return sorted(weighty, key=lambda variant: random.expovariate(variant.weight))

    def close(self, drain: bool, grace: float | None = None) -> None:
        """Stop all instances and wait until they are gone; see `Fleet.close`."""
        fleets = [variant.fleet for variant in self.by_name.values()]
        side_by_side((partial(fleet.close, drain, grace) for fleet in fleets), "close-variant")


def _failure_reason(variant: str, reason: str) -> str:
    """AWS's sentence where it has one, followed by ours, which says more."""
    if reason.startswith(("the container did not answer", "the container's process ended")):
        return (
            f"The primary container for production variant {variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint. ({reason})"
        )
    return reason
