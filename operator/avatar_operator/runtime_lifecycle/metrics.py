"""Gauges about runtimes, computed from the cache when they are scraped."""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.runtime_lifecycle.conditions import TENANTS_APART
from avatar_operator.runtime_lifecycle.work import Body


class RuntimeCollector(Collector):
    """What the statuses of all runtimes and of what waits for them say in sum."""

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only when collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """What was left behind, what has no owner, what is paid for, what waits."""
        statuses = [body.get("status", {}) for body in self._cache.objects(AVATAR_RUNTIME)]
        left_behind = GaugeMetricFamily(
            "avatar_left_behind",
            "Objects that are gone and whose data could not be removed yet, or may still be stored by a worker.",
            labels=("kind",),
        )
        counts = Counter(entry["kind"] for status in statuses for entry in status.get("leftBehind", ()))
        for kind in (AVATAR_MODEL.kind, AVATAR_REQUEST.kind):
            left_behind.add_metric((kind,), counts[kind])
        yield left_behind
        yield GaugeMetricFamily(
            "avatar_runtimes_unsafe",
            "Runtimes whose prefixes let tenants name what is not theirs.",
            value=sum(_not_apart(status) for status in statuses),
        )
        yield GaugeMetricFamily(
            "avatar_orphans_found",
            "Directories, endpoints, configurations and models without an owner at the last look, of all runtimes.",
            value=sum(status.get("orphans", {}).get("found", 0) for status in statuses),
        )
        instances = GaugeMetricFamily(
            "avatar_endpoint_instances",
            "Instances in service, of all runtimes, by what they do.",
            labels=("role",),
        )
        counts = Counter()
        for status in statuses:
            for endpoint in status.get("endpoints", ()):
                counts[endpoint["role"]] += endpoint.get("instances", 0)
        for role in ("Training", "Inference"):
            instances.add_metric((role,), counts[role])
        yield instances
        yield GaugeMetricFamily(
            "avatar_endpoint_backlog",
            "Attempts that wait at training endpoints: submitted, and no worker is known to have begun.",
            value=sum(_waits(body.get("status", {})) for body in self._cache.objects(AVATAR_MODEL)),
        )
        yield GaugeMetricFamily(
            "avatar_idle_instance_seconds",
            "Seconds of instances in service that did no work, over the lives of all runtimes.",
            value=sum(status.get("idleSeconds", 0) for status in statuses),
        )


def _not_apart(status: Body) -> bool:
    conditions = status.get("conditions", ())
    return any(each["type"] == TENANTS_APART and each["status"] == "False" for each in conditions)


def _waits(status: Body) -> bool:
    training = status.get("training", {})
    return "submittedTime" in training and not training.keys() & {"startTime", "completionTime"}
