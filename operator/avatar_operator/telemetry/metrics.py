"""What the operator tells Prometheus. Low cardinality: never an object's name in a label.

Names follow shared vocabulary of Kubernetes operators (controller-runtime's workqueue and reconcile metrics), prefixed
with `avatar_`. Gauges about objects and queues are computed when scraped, from the cache and the queues themselves, so
they cannot drift and leave nothing behind when an object goes.
"""

from collections import Counter as CountOf
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, KINDS, Kind
from avatar_api.meta import Failure
from avatar_api.runtime_backend import Backend
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.telemetry.cost_metrics import CostMetrics

_DURATION_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 120)
_TRAINING_BUCKETS = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_REQUEST_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)

ReconcileResult = Literal["gone", "unchanged", "changed", "conflict", "kube_error", "fenced", "error"]
TRAINING_OUTCOMES = ("succeeded", "failed")
REQUEST_OUTCOMES = ("Succeeded", "Failed")

disable_created_metrics()  # type: ignore[no-untyped-call]


class OperatorMetrics:
    """Counters and histograms of the control loops."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.costs = CostMetrics(registry)
        self._reconcile_total = Counter(
            "avatar_reconcile",
            "Reconciles by kind and how they ended.",
            ("kind", "result"),
            registry=registry,
        )
        self._reconcile_seconds = Histogram(
            "avatar_reconcile_duration_seconds",
            "Seconds of one reconcile, by kind.",
            ("kind",),
            registry=registry,
            buckets=_DURATION_BUCKETS,
        )
        self._retries = Counter(
            "avatar_reconcile_retries",
            "Passes that ended in something that may work later, by kind and reason.",
            ("kind", "reason"),
            registry=registry,
        )
        self._kube_requests = Counter(
            "avatar_kube_requests",
            "Requests to the API server, by verb, kind and code.",
            ("verb", "kind", "code"),
            registry=registry,
        )
        self._training_seconds = Histogram(
            "avatar_training_duration_seconds",
            "Seconds from submission to the end of an attempt.",
            ("backend", "outcome"),
            registry=registry,
            buckets=_TRAINING_BUCKETS,
        )
        self._time_in_queue = Histogram(
            "avatar_time_in_queue_seconds",
            "Seconds from submission until a worker began.",
            ("backend",),
            registry=registry,
            buckets=_TRAINING_BUCKETS,
        )
        self._request_seconds = Histogram(
            "avatar_request_duration_seconds",
            "Seconds from creation to the end of an AvatarRequest.",
            ("backend", "outcome"),
            registry=registry,
            buckets=_REQUEST_BUCKETS,
        )
        self._failures = Counter(
            "avatar_failures",
            "Failures that were told on an object, by what they are called and whether they are tried again.",
            ("kind", "namespace", "reason", "retryable"),
            registry=registry,
        )
        self._abandoned = Counter(
            "avatar_attempts_abandoned",
            "Attempts that were given up because nobody could tell whether they had been submitted.",
            ("namespace",),
            registry=registry,
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Let every series exist that is known beforehand: what appears at 1 has no increase that an alert could see."""
        for kind in KINDS:
            self._reconcile_seconds.labels(kind.kind)
            for result in get_args(ReconcileResult):
                self._reconcile_total.labels(kind.kind, result)
            for verb in ("list", "apply_status", "set_finalizers"):
                self._kube_requests.labels(verb, kind.kind, "200")
        for verb, resource in (
            ("delete", AVATAR_MODEL.kind),
            ("delete", AVATAR_REQUEST.kind),
            ("create", "Event"),
            ("create", "Lease"),
            ("get", "Lease"),
            ("replace", "Lease"),
        ):
            self._kube_requests.labels(verb, resource, "200")
        for backend in Backend.model_fields:
            self._time_in_queue.labels(backend)
            for outcome in TRAINING_OUTCOMES:
                self._training_seconds.labels(backend, outcome)
            for outcome in REQUEST_OUTCOMES:
                self._request_seconds.labels(backend, outcome)

    def reconciled(self, kind: str, result: ReconcileResult, seconds: float) -> None:
        """One reconcile ended."""
        self._reconcile_total.labels(kind, result).inc()
        self._reconcile_seconds.labels(kind).observe(seconds)

    def retried(self, kind: str, reason: str) -> None:
        """A pass ended in something that may work later."""
        self._retries.labels(kind, reason).inc()

    def kube_request(self, verb: str, kind: str, code: int) -> None:
        """The API server answered, or did not (code 0)."""
        self._kube_requests.labels(verb, kind, str(code)).inc()

    def training_ended(self, backend: str, outcome: str, seconds: float) -> None:
        """An attempt ended."""
        self._training_seconds.labels(backend, outcome).observe(seconds)

    def training_began(self, backend: str, seconds: float) -> None:
        """A worker was seen to have taken an attempt from the queue."""
        self._time_in_queue.labels(backend).observe(seconds)

    def failed(self, kind: Kind, namespace: str, before: Failure | None, after: Failure | None) -> None:
        """A status was written; what has failed since the one before is counted."""
        if after is not None and after != before:
            self._failures.labels(kind.kind, namespace, after.reason, str(after.retryable).lower()).inc()

    def attempt_abandoned(self, namespace: str) -> None:
        """An attempt was fenced before any worker had it."""
        self._abandoned.labels(namespace).inc()

    def request_ended(self, backend: str, outcome: str, seconds: float) -> None:
        """A request ended."""
        self._request_seconds.labels(backend, outcome).observe(seconds)


class StateCollector(Collector):
    """Gauges computed at scrape time from the cache and the queues."""

    def __init__(
        self,
        cache: ObjectCache,
        queues: Mapping[Kind, WorkQueue[ObjectKey]],
    ) -> None:
        self._cache = cache
        self._queues = queues

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only when collected, and registration must not need a running loop."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Objects by state, and how the queues are doing."""
        objects = GaugeMetricFamily("avatar_objects", "Objects by kind and state.", labels=("kind", "state"))
        for kind in self._queues:
            states = CountOf(
                body.get("status", {}).get("state", "Unknown") for body in self._cache.objects(kind)
            )
            for state, count in states.items():
                objects.add_metric((kind.kind, state), count)
        yield objects
        depth = GaugeMetricFamily("avatar_workqueue_depth", "Keys that wait.", labels=("kind",))
        adds = CounterMetricFamily("avatar_workqueue_adds", "Keys added.", labels=("kind",))
        retries = CounterMetricFamily(
            "avatar_workqueue_retries", "Keys added after a failure.", labels=("kind",)
        )
        oldest = GaugeMetricFamily(
            "avatar_workqueue_oldest_age_seconds", "Seconds that the first key has waited.", labels=("kind",)
        )
        running = GaugeMetricFamily(
            "avatar_workqueue_longest_running_seconds",
            "Seconds of the slowest piece of work.",
            labels=("kind",),
        )
        for kind, queue in self._queues.items():
            depth.add_metric((kind.kind,), len(queue))
            adds.add_metric((kind.kind,), queue.adds_total)
            retries.add_metric((kind.kind,), queue.retries_total)
            oldest.add_metric((kind.kind,), queue.oldest_age())
            running.add_metric((kind.kind,), queue.longest_running())
        yield from (depth, adds, retries, oldest, running)
