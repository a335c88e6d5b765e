"""How the work queues are doing, by kind: computed from the queues themselves when they are scraped."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.group import Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey


class QueueCollector(Collector):
    """Depth, age and history of each queue.

    Args:
        queues: by kind.
    """

    def __init__(self, queues: Mapping[Kind, WorkQueue[ObjectKey]]) -> None:
        self._queues = queues

    def describe(self) -> Iterable[Metric]:
        """Nothing: ages need a running loop, and registration must not."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges, as Prometheus' registry asks for them."""
        depth = GaugeMetricFamily(
            "avatar_workqueue_depth", "Keys of objects that wait for a pass.", labels=("kind",)
        )
        adds = CounterMetricFamily(
            "avatar_workqueue_adds", "Keys that were added to the queue.", labels=("kind",)
        )
        retries = CounterMetricFamily(
            "avatar_workqueue_retries", "Keys that were added again after a failure.", labels=("kind",)
        )
        oldest = GaugeMetricFamily(
            "avatar_workqueue_oldest_age_seconds",
            "Seconds that the key has waited which waits longest: load, not trouble.",
            labels=("kind",),
        )
        running = GaugeMetricFamily(
            "avatar_workqueue_longest_running_seconds",
            "Seconds that the slowest pass under way has taken.",
            labels=("kind",),
        )
        namespaces = GaugeMetricFamily(
            "avatar_workqueue_namespaces", "Namespaces of which keys wait.", labels=("kind",)
        )
        for kind, queue in self._queues.items():
            depth.add_metric((kind.kind,), len(queue))
            adds.add_metric((kind.kind,), queue.adds_total)
            retries.add_metric((kind.kind,), queue.retries_total)
            oldest.add_metric((kind.kind,), queue.oldest_age())
            running.add_metric((kind.kind,), queue.longest_running())
            # Not by namespace: how many there are is the users' choice.
            namespaces.add_metric((kind.kind,), queue.parties())
        yield from (depth, adds, retries, oldest, running, namespaces)
