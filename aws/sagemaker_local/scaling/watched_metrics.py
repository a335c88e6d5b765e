"""Metrics of endpoints that have nothing to do, for the alarms that wait for just that.

SageMaker writes zeros while nothing happens; here nobody does, because moto keeps every datum. So whenever an alarm on one of
these metrics is evaluated, its endpoint is asked for a sample, which the next evaluation sees: an endpoint scales in although it
is idle, and costs nothing when nobody watches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sagemaker_local.async_inference.backlog_metrics import BACKLOG_METRICS
from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.realtime.invocation_metrics import NAMESPACE, TRAFFIC, InvocationMetrics
from sagemaker_local.scaling.alarm_evaluation import Evaluated

_ENDPOINT, _VARIANT = "EndpointName", "VariantName"


class WatchedMetrics:
    """Asks endpoints for samples.

    Arguments:
        sample_backlog: tells CloudWatch the backlog of an asynchronous endpoint.
    """

    def __init__(
        self,
        registry: EndpointRegistry,
        invocation_metrics: InvocationMetrics,
        sample_backlog: Callable[[Endpoint], None],
    ) -> None:
        self._registry = registry
        self._invocation_metrics = invocation_metrics
        self._sample_backlog = sample_backlog

    def sample(self, alarms: Sequence[Evaluated]) -> None:
        """Get samples for the alarms that were just evaluated: one per endpoint, however many alarms watch it."""
        backlogs: set[Endpoint] = set()
        traffic: set[tuple[Endpoint, str]] = set()
        for alarm in alarms:
            if not alarm.fresh or alarm.alarm.namespace != NAMESPACE:
                continue
            dimensions = dict(alarm.alarm.dimensions)
            endpoint = self._endpoint(alarm, dimensions.get(_ENDPOINT))
            if endpoint is None:
                continue
            variant = dimensions.get(_VARIANT)
            asynchronous = endpoint.spec.asynchronous is not None
            if asynchronous and variant is None and alarm.alarm.metric_name in BACKLOG_METRICS:
                backlogs.add(endpoint)
            elif not asynchronous and variant in endpoint.variants and alarm.alarm.metric_name in TRAFFIC:
                traffic.add((endpoint, variant))
        for endpoint in backlogs:
            self._sample_backlog(endpoint)
        for endpoint, variant in traffic:
            self._invocation_metrics.idle(endpoint, variant)

    def _endpoint(self, alarm: Evaluated, name: str | None) -> Endpoint | None:
        if name is None:
            return None
        return self._registry.find(Scope(alarm.region.account, alarm.region.name, ""), name)
