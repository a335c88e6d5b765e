"""How long the slowest objects have been under way: what a queue's length cannot tell.

Computed when scraped, from the cache, so that a series ends with the object that it was about.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.endings import raw_active_attempt
from avatar_api.group import AVATAR_MODEL, KINDS
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object


class ObjectAges(Collector):
    """The ages of the oldest unfinished training and of the oldest deletion of each kind; 0 if there is none.

    Args:
        cache: the objects.
        clock: says how old they are.
    """

    def __init__(self, cache: ObjectCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing: registration must not need a filled cache."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges, as Prometheus' registry asks for them."""
        training = GaugeMetricFamily(
            "avatar_oldest_unfinished_training_seconds",
            "Seconds since the plan of the oldest attempt that has not ended.",
        )
        training.add_metric((), self._oldest(map(_planned, self._cache.objects(AVATAR_MODEL))))
        deletion = GaugeMetricFamily(
            "avatar_oldest_deletion_seconds", "Seconds that the oldest deletion has taken.", labels=("kind",)
        )
        for kind in KINDS:
            going = (body["metadata"].get("deletionTimestamp") for body in self._cache.objects(kind))
            deletion.add_metric((kind.kind,), self._oldest(going))
        yield from (training, deletion)

    def _oldest(self, times: Iterable[str | None]) -> float:
        earliest = min((time for time in times if time is not None), default=None)
        if earliest is None:
            return 0.0
        return max(0.0, (self._clock.now() - datetime.fromisoformat(earliest)).total_seconds())


def _planned(body: Object) -> str | None:
    """When the attempt was planned that is under way; RFC 3339 in UTC, which sorts as time does."""
    training = raw_active_attempt(body)
    return None if training is None else training.get("plannedTime")
