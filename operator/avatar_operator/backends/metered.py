"""A backend that counts: the same port around any other, for Prometheus.

Labels are few and closed: backend, verb, and the outcome's reason. Names of objects are in none of them.
"""

import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.training import PhotoLocation, TrainingRequest
from avatar_operator.backends.base import (
    AttemptOutcome,
    AttemptReference,
    Backend,
    BackendError,
    CleanupReport,
    DrawCall,
    DrawResult,
    EndpointsFacts,
    FenceResult,
    Submission,
)

T = TypeVar("T")
BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
OK = "OK"
CANCELLED = "Cancelled"
UNEXPECTED = "UnexpectedError"


class BackendMetrics:
    """The series that all backends of a process share.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "avatar_backend_requests_total",
            "Verbs of the backend port, by outcome: OK or the reason of the error.",
            ["backend", "op", "code"],
            registry=registry,
        )
        self.durations = Histogram(
            "avatar_backend_request_duration_seconds",
            "How long verbs of the backend port took, waiting for a token included.",
            ["backend", "op"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.throttled = Counter(
            "avatar_backend_throttled_total",
            "Verbs that failed because the backend asked to slow down.",
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
            "Tokens left in the bucket of a throttled API; negative while calls wait.",
            labels=["op"],
        )
        for operation, tokens in self._available().items():
            gauge.add_metric([operation], tokens)
        yield gauge


class MeteredBackend:
    """Another backend, counted.

    Args:
        backend: does the work.
        name: its name in the series: "sagemaker", "simulated".
        metrics: the series.
    """

    def __init__(self, backend: Backend, name: str, metrics: BackendMetrics) -> None:
        self._backend = backend
        self._name = name
        self._metrics = metrics

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Backend.ensure_endpoints."""
        return await self._counted("ensure_endpoints", self._backend.ensure_endpoints(runtime))

    async def delete_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Backend.delete_endpoints."""
        return await self._counted("delete_endpoints", self._backend.delete_endpoints(runtime))

    async def list_photos(self, runtime: AvatarRuntime, model: AvatarModel) -> Sequence[PhotoLocation]:
        """See Backend.list_photos."""
        return await self._counted("list_photos", self._backend.list_photos(runtime, model))

    async def submit_training(self, runtime: AvatarRuntime, request: TrainingRequest) -> Submission:
        """See Backend.submit_training."""
        return await self._counted("submit_training", self._backend.submit_training(runtime, request))

    async def fence_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> FenceResult:
        """See Backend.fence_attempt."""
        return await self._counted("fence_attempt", self._backend.fence_attempt(runtime, attempt))

    async def cancel_attempt(self, runtime: AvatarRuntime, attempt: AttemptReference) -> None:
        """See Backend.cancel_attempt."""
        await self._counted("cancel_attempt", self._backend.cancel_attempt(runtime, attempt))

    async def attempt_outcome(self, runtime: AvatarRuntime, attempt: AttemptReference) -> AttemptOutcome:
        """See Backend.attempt_outcome."""
        return await self._counted("attempt_outcome", self._backend.attempt_outcome(runtime, attempt))

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Backend.draw."""
        return await self._counted("draw", self._backend.draw(runtime, call))

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Backend.existing_pictures."""
        return await self._counted(
            "existing_pictures", self._backend.existing_pictures(runtime, output_prefix)
        )

    async def describe_pictures(
        self, runtime: AvatarRuntime, output_prefix: str, pictures: Sequence[PictureRequest]
    ) -> Sequence[Picture]:
        """See Backend.describe_pictures."""
        return await self._counted(
            "describe_pictures", self._backend.describe_pictures(runtime, output_prefix, pictures)
        )

    async def delete_model_data(
        self, runtime: AvatarRuntime, model: AvatarModel, *, artifacts: bool
    ) -> CleanupReport:
        """See Backend.delete_model_data."""
        return await self._counted(
            "delete_model_data", self._backend.delete_model_data(runtime, model, artifacts=artifacts)
        )

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Backend.delete_request_data."""
        return await self._counted("delete_request_data", self._backend.delete_request_data(runtime, request))

    async def _counted(self, verb: str, call: Coroutine[Any, Any, T]) -> T:
        started = time.perf_counter()
        code = CANCELLED
        try:
            result = await call
            code = OK
        except BackendError as error:
            code = error.reason
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
