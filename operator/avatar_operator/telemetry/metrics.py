"""What the control loops tell Prometheus. Low cardinality: never an object's name in a label.

Names follow shared vocabulary of Kubernetes operators (controller-runtime's workqueue and reconcile metrics), prefixed
with `avatar_`. What is counted is here; gauges about objects, queues and replicas are computed when scraped, by the
collectors beside this file.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, KINDS, Kind
from avatar_api.meta import Failure
from avatar_api.runtime_backend import Backend
from avatar_operator.core.decision import NO_PHASE
from avatar_operator.telemetry.cost_metrics import CostMetrics
from avatar_operator.telemetry.retry_reasons import RETRY_REASONS

_PASS_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)
"""Few, because each of them is there once for every phase of every kind."""
_TRAINING_BUCKETS = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_REQUEST_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)

KUBE_CALLS = (
    *((verb, kind.kind) for kind in KINDS for verb in ("list", "apply_status", "set_finalizers")),
    ("delete", AVATAR_MODEL.kind),
    ("delete", AVATAR_REQUEST.kind),
    ("create", "Event"),
    ("get", "Namespace"),
    ("create", "Lease"),
    ("get", "Lease"),
    ("replace", "Lease"),
)
"""What the API server is asked, as verb and kind."""
ReconcileResult = Literal[
    "gone", "unchanged", "changed", "deleted", "conflict", "kube_error", "fenced", "error"
]
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
            "Passes over objects, by how they ended.",
            ("kind", "result"),
            registry=registry,
        )
        self._reconcile_seconds = Histogram(
            "avatar_reconcile_duration_seconds",
            "Seconds of one pass, by the phase that decided; none: nothing was to be done, or the pass was broken off.",
            ("kind", "phase"),
            registry=registry,
            buckets=_PASS_BUCKETS,
        )
        self._retries = Counter(
            "avatar_reconcile_retries",
            "Passes that ended in something that may work later, by its reason.",
            ("kind", "reason"),
            registry=registry,
        )
        self._kube_requests = Counter(
            "avatar_kube_requests",
            "Calls of the API server, by verb, kind and code; code 0: no answer.",
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
            "Seconds from submission until a worker began, as its claim, its first message or its result says.",
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
            self._reconcile_seconds.labels(kind.kind, NO_PHASE)
            for reason in RETRY_REASONS[kind]:
                self._retries.labels(kind.kind, reason)
            for result in get_args(ReconcileResult):
                self._reconcile_total.labels(kind.kind, result)
        for verb, resource in KUBE_CALLS:
            for code in ("200", "0"):
                self._kube_requests.labels(verb, resource, code)
        for backend in Backend.model_fields:
            self._time_in_queue.labels(backend)
            for outcome in TRAINING_OUTCOMES:
                self._training_seconds.labels(backend, outcome)
            for outcome in REQUEST_OUTCOMES:
                self._request_seconds.labels(backend, outcome)

    def expect_phases(self, kind: Kind, names: Iterable[str]) -> None:
        """Let the series exist of every phase that may decide about objects of a kind."""
        for name in names:
            self._reconcile_seconds.labels(kind.kind, name)

    def reconciled(self, kind: str, phase: str, result: ReconcileResult, seconds: float) -> None:
        """One reconcile ended, in which a phase had the last word."""
        self._reconcile_total.labels(kind, result).inc()
        self._reconcile_seconds.labels(kind, phase).observe(seconds)

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
