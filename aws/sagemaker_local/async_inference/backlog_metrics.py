"""An asynchronous endpoint's backlog, and how CloudWatch learns of it.

    ApproximateBacklogSize, ApproximateBacklogSizePerInstance, ApproximateAgeOfOldestRequest, HasBacklogWithoutCapacity

All have the one dimension EndpointName. They are samples of a state, which is sampled when an idle queue gets something to do,
then once per AWS minute for as long as anything is queued, running or has changed, so the last sample says that nothing is left;
an idle endpoint costs nothing. Whoever needs samples of an idle endpoint (an alarm that is to scale it to zero) asks for them
with `sample`. What becomes of single invocations is told by `variant_metrics.py`.

Source: "Alarms and logs for tracking metrics from asynchronous endpoints" in the SageMaker guide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.metric_publishing import Metric, MetricPublisher

NAMESPACE = "AWS/SageMaker"
BACKLOG_METRICS = (
    "ApproximateBacklogSize",
    "ApproximateBacklogSizePerInstance",
    "ApproximateAgeOfOldestRequest",
    "HasBacklogWithoutCapacity",
)
RESOLUTION_SECONDS = 60.0


@dataclass(frozen=True)
class Backlog:
    """What an endpoint has to do.

    Attributes:
        waiting: requests in the queue.
        in_process: requests that an instance has, up to their notification.
        oldest_age: AWS seconds for which the oldest request has waited; 0 when none waits.
        instances: instances in service.
    """

    waiting: int
    in_process: int
    oldest_age: float
    instances: int

    @property
    def size(self) -> int:
        return self.waiting + self.in_process

    @property
    def size_per_instance(self) -> float:
        """At zero instances the whole backlog counts, so that a target can be exceeded there too."""
        return self.size / max(self.instances, 1)

    @property
    def without_capacity(self) -> bool:
        return self.waiting > 0 and self.instances == 0


class BacklogMetrics:
    """Tells CloudWatch about one endpoint's queue.

    Arguments:
        observe: the backlog as it is now.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        publisher: MetricPublisher,
        clock: Clock,
        scheduler: Scheduler,
        observe: Callable[[], Backlog],
    ) -> None:
        self._endpoint = endpoint
        self._publisher = publisher
        self._clock = clock
        self._scheduler = scheduler
        self._observe = observe
        self._lock = threading.Lock()
        self._sampling = False
        self._changed = False
        self._closed = False

    def changed(self) -> None:
        """The backlog is not what it was. Cheap; call without the queue's lock."""
        with self._lock:
            self._changed = True
            if self._sampling or self._closed:
                return
            self._sampling = True
        self._sample_until_idle()

    def close(self) -> None:
        """The endpoint is gone."""
        with self._lock:
            self._closed = True

    def sample(self) -> None:
        """Tell CloudWatch what the backlog is now."""
        backlog = self._observe()
        values = (
            float(backlog.size),
            backlog.size_per_instance,
            backlog.oldest_age,
            float(backlog.without_capacity),
        )
        for name, value in zip(BACKLOG_METRICS, values, strict=True):
            unit = "Seconds" if name == "ApproximateAgeOfOldestRequest" else "Count"
            self._record(name, value, unit)

    def _sample_until_idle(self) -> None:
        with self._lock:
            idle = not self._changed and not self._observe().size
            self._sampling = not idle and not self._closed
            if not self._sampling:
                return
            self._changed = False
        self.sample()
        self._scheduler.after(self._clock.real(RESOLUTION_SECONDS), self._sample_until_idle)

    def _record(self, name: str, value: float, unit: str) -> None:
        dimensions = (("EndpointName", self._endpoint.name),)
        self._publisher.record(self._endpoint.scope, Metric(NAMESPACE, name, unit, dimensions), value)
