"""The CloudWatch metrics of a multi-model endpoint, as one of its instances sees them.

    AWS/SageMaker
        ModelCacheHit            1 for an invocation whose model was in memory, else 0: the Average is the hit ratio
        ModelLoadingWaitTime     how long an invocation waited for its model; only those that had to wait
        ModelDownloadingTime, ModelLoadingTime, ModelUnloadingTime
    /aws/sagemaker/Endpoints
        LoadedModelCount         one sample per instance and minute

All with dimensions EndpointName and VariantName, times in microseconds; there are no metrics per model. LoadedModelCount is
sampled a minute after the first invocation since the last sample, so that an idle endpoint costs nothing; AWS goes on sampling.

Source: "CloudWatch Metrics for Multi-Model Endpoint Deployments" in the SageMaker guide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.instances.container_spec import Placement
from sagemaker_local.metric_publishing import Metric, MetricPublisher

INVOCATION_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
SAMPLE_SECONDS = 60.0


class ModelMetrics:
    """Records what happens to the models of one instance. All times are real seconds."""

    def __init__(
        self, publisher: MetricPublisher, scheduler: Scheduler, clock: Clock, placement: Placement
    ) -> None:
        self._publisher = publisher
        self._scheduler = scheduler
        self._clock = clock
        self._scope = placement.scope
        self._dimensions = (("EndpointName", placement.endpoint), ("VariantName", placement.variant))
        self._lock = threading.Lock()
        self._count_ordered = False

    def invoked(self, hit: bool, loaded_models: Callable[[], int | None]) -> None:
        """A request has come.

        Arguments:
            hit: whether its model was in memory.
            loaded_models: counts the models in memory, later; None when the instance has ended.
        """
        self._record("ModelCacheHit", float(hit), "None")
        with self._lock:
            if self._count_ordered:
                return
            self._count_ordered = True
        self._scheduler.after(self._clock.real(SAMPLE_SECONDS), lambda: self._count(loaded_models))

    def waited(self, seconds: float) -> None:
        """A request's model was not in memory, and it waited for it."""
        self._time("ModelLoadingWaitTime", seconds)

    def downloaded(self, seconds: float) -> None:
        self._time("ModelDownloadingTime", seconds)

    def loaded(self, seconds: float) -> None:
        self._time("ModelLoadingTime", seconds)

    def unloaded(self, seconds: float) -> None:
        self._time("ModelUnloadingTime", seconds)

    def _count(self, loaded_models: Callable[[], int | None]) -> None:
        with self._lock:
            self._count_ordered = False
        count = loaded_models()
        if count is not None:
            self._record("LoadedModelCount", float(count), "None", INSTANCE_NAMESPACE)

    def _time(self, name: str, seconds: float) -> None:
        self._record(name, seconds * 1_000_000, "Microseconds")

    def _record(self, name: str, value: float, unit: str, namespace: str = INVOCATION_NAMESPACE) -> None:
        self._publisher.record(self._scope, Metric(namespace, name, unit, self._dimensions), value)
