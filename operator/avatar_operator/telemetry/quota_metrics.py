"""How many objects wait because their namespaces have as much under way as they may: computed when scraped.

By kind and not by namespace: how many namespaces there are is the users' choice. Which objects wait, their conditions say.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.group import Kind


class QuotaCollector(Collector):
    """The number of objects that wait.

    Args:
        waiting: tells it, by kind.
    """

    def __init__(self, waiting: Mapping[Kind, Callable[[], int]]) -> None:
        self._waiting = waiting

    def collect(self) -> Iterator[Metric]:
        """The gauge, as Prometheus' registry asks for it."""
        gauge = GaugeMetricFamily(
            "avatar_waiting_for_quota",
            "Objects that wait because their namespace has as much under way as its quota lets it have.",
            labels=("kind",),
        )
        for kind, waiting in self._waiting.items():
            gauge.add_metric((kind.kind,), waiting())
        yield gauge
