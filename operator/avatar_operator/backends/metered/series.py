"""What is counted of a backend, for Prometheus; what was said of a failure goes to the log (`failure_log`).

Labels are few and closed: backend, verb, and the outcome's reason. Names of objects are in none of them.
"""

import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.metered.failure_log import FailureLog

T = TypeVar("T")
BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
OK = "OK"
CANCELLED = "Cancelled"
UNEXPECTED = "UnexpectedError"
KNOWN_CODES = (OK, CANCELLED, UNEXPECTED)
"""The codes that every verb may come to; the others are the backends' own reasons, each of some verbs."""


class BackendMetrics:
    """The series that all backends of a process share.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "avatar_backend_requests_total",
            "Verbs of storage and compute, by how they ended: OK or the reason of the failure.",
            ["backend", "op", "code"],
            registry=registry,
        )
        self.durations = Histogram(
            "avatar_backend_request_duration_seconds",
            "Seconds that verbs of storage and compute took, waiting for our own rate included.",
            ["backend", "op"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.throttled = Counter(
            "avatar_backend_throttled_total",
            "Verbs of storage and compute that failed because the backend asked to slow down.",
            ["backend", "op"],
            registry=registry,
        )


class TokensAvailable(Collector):
    """Publishes how many calls of each throttled API could be made at once now.

    Args:
        available: tokens by operation, as `aws.throttling.Throttles.available` gives them.
    """

    def __init__(self, available: Callable[[], Mapping[str, float]]) -> None:
        self._available = available

    def collect(self) -> Iterator[Metric]:
        """The gauge, as Prometheus' registry asks for it."""
        gauge = GaugeMetricFamily(
            "avatar_backend_tokens_available",
            "Calls that may be made at once; negative while calls wait for our own rate.",
            labels=["op"],
        )
        for operation, tokens in self._available().items():
            gauge.add_metric([operation], tokens)
        yield gauge


class VerbCounter:
    """Counts and times the verbs of one backend, and writes down what was said where one failed.

    Args:
        name: the backend's name in the series: "sagemaker", "simulated".
        metrics: the series.
        verbs: what will be counted. Their series are there from the start: one that appears at 1 has no increase.
    """

    def __init__(self, name: str, metrics: BackendMetrics, verbs: Iterable[str]) -> None:
        self._name = name
        self._metrics = metrics
        self._failures = FailureLog()
        for verb in verbs:
            for code in KNOWN_CODES:
                metrics.requests.labels(name, verb, code)
            metrics.durations.labels(name, verb)
            metrics.throttled.labels(name, verb)

    async def counted(self, verb: str, call: Coroutine[Any, Any, T]) -> T:
        """The answer to a verb, counted."""
        started = time.perf_counter()
        code = CANCELLED
        try:
            result = await call
            code = OK
            self._failures.answered(verb, result)
        except BackendError as error:
            code = error.reason
            self._failures.failed(verb, error)
            if code == "Throttled":
                self._metrics.throttled.labels(self._name, verb).inc()
            raise
        except Exception:
            code = UNEXPECTED
            raise
        finally:
            self._metrics.requests.labels(self._name, verb, code).inc()
            self._metrics.durations.labels(self._name, verb).observe(time.perf_counter() - started)
        return result
