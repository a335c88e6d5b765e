"""How this replica is doing, computed when scraped: does it lead, is its view of the world fresh, does it listen?"""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector


class ReplicaCollector(Collector):
    """Gauges about one replica.

    Args:
        leads: whether this replica leads.
        watch_ages: seconds since each watch was last known to be well, by plural.
        swept_at: when the last sweep of each kind ended, in seconds since 1970, by plural.
        consumers: how many queues are being listened to.
        namespaces: whether each namespace that is named to the operator can be watched.
    """

    def __init__(
        self,
        *,
        leads: Callable[[], bool],
        watch_ages: Callable[[], Mapping[str, float]],
        swept_at: Callable[[], Mapping[str, float]],
        consumers: Callable[[], int],
        namespaces: Callable[[], Mapping[str, bool]],
    ) -> None:
        self._leads = leads
        self._watch_ages = watch_ages
        self._swept_at = swept_at
        self._consumers = consumers
        self._namespaces = namespaces

    def describe(self) -> Iterable[Metric]:
        """Nothing: what is computed needs a running operator, and registration must not."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges, as Prometheus' registry asks for them."""
        yield InfoMetricFamily(
            "avatar_build",
            "1, with the version of the operator and of Python in its labels.",
            {"version": version("avatar-operator"), "python": platform.python_version()},
        )
        yield GaugeMetricFamily(
            "avatar_leader",
            "1 if this replica leads, 0 if it stands by: the sum over all replicas must be 1.",
            float(self._leads()),
        )
        yield GaugeMetricFamily(
            "avatar_ingest_consumers",
            "Notification queues that are listened to; 0 on a replica that stands by.",
            self._consumers(),
        )
        yield _by_resource(
            "avatar_watch_last_event_age_seconds",
            "Seconds since the watch showed an event, or a sweep found that it had missed none.",
            self._watch_ages(),
        )
        yield _by_resource(
            "avatar_last_sweep_timestamp_seconds",
            "When the last comparison with the API server ended, in seconds since 1970.",
            self._swept_at(),
        )
        watched = GaugeMetricFamily(
            "avatar_namespace_watched",
            "1 if a namespace of AVATAR_OPERATOR_WATCH_NAMESPACES can be watched, 0 if it is not there or gives the operator no rights.",
            labels=("namespace",),
        )
        for namespace, is_open in self._namespaces().items():
            watched.add_metric((namespace,), float(is_open))
        yield watched


def _by_resource(name: str, documentation: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=("resource",))
    for resource, value in values.items():
        family.add_metric((resource,), value)
    return family
