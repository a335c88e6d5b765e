"""The CloudWatch metrics of InvokeEndpoint that scaling and alarms use.

    Invocations              requests sent to the model, answered by it or not
    InvocationsPerInstance   each request divided by the instances in service: a Sum over a minute is what target tracking follows
    Invocation4XXErrors, Invocation5XXErrors   1 for a model's answer of that kind, else 0
    InvocationModelErrors    1 when the model gave no 2xx answer, else 0
    ModelLatency             how long the container took, in microseconds; nothing when it was not called
    OverheadLatency          how much longer the whole call took: on a multi-model endpoint, loading is overhead

All with dimensions EndpointName and VariantName. A variant whose metrics an alarm watches gets a zero every minute, so that it
scales in when its traffic ends; nobody else's do, since moto keeps every datum.

Sources: "Monitor SageMaker with CloudWatch"; "Scale-in" in "Edit a scaling policy" ("if a variant's traffic becomes zero,
SageMaker emits metrics with a value of zero") in the SageMaker guide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from werkzeug.wrappers import Response

from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.variants import Variant
from sagemaker_local.errors import AwsError
from sagemaker_local.metric_publishing import Metric, MetricPublisher

NAMESPACE = "AWS/SageMaker"
TRAFFIC = ("Invocations", "InvocationsPerInstance")
_REACHED_THE_MODEL = frozenset({"ModelError", "ModelNotReadyException"})


class ModelTime:
    """How long one request was with its container."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """The container has the request now. May be entered again when the request is made again."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began


class InvocationMetrics:
    """Counts and times the requests of real-time endpoints."""

    def __init__(self, publisher: MetricPublisher) -> None:
        self._publisher = publisher

    def observed(
        self, endpoint: Endpoint, variant: Variant, invoke: Callable[[ModelTime], Response]
    ) -> Response:
        """Invoke, count what came of it, and tell the container's time from ours. Returns and raises what `invoke` does."""
        began, model_time = time.monotonic(), ModelTime()
        try:
            response = invoke(model_time)
        except AwsError as error:
            if error.code in _REACHED_THE_MODEL:
                failed = error.code == "ModelError"
                self._count(endpoint, variant, int(error.fields.get("OriginalStatusCode") or 500), failed)
                self._time(endpoint, variant, model_time.seconds, time.monotonic() - began)
            raise
        self._count(endpoint, variant, response.status_code, failed=False)
        self._time(endpoint, variant, model_time.seconds, time.monotonic() - began)
        return response

    def idle(self, endpoint: Endpoint, variant: str) -> None:
        """Say that a variant is there, with or without traffic."""
        for name in TRAFFIC:
            self._record(endpoint, variant, name, 0.0)

    def _count(self, endpoint: Endpoint, variant: Variant, status: int, failed: bool) -> None:
        instances = max(len(variant.fleet.in_service()), 1)
        self._record(endpoint, variant.spec.name, "Invocations", 1.0)
        self._record(endpoint, variant.spec.name, "InvocationsPerInstance", 1.0 / instances)
        self._record(endpoint, variant.spec.name, "Invocation4XXErrors", float(400 <= status < 500))
        self._record(endpoint, variant.spec.name, "Invocation5XXErrors", float(status >= 500))
        self._record(endpoint, variant.spec.name, "InvocationModelErrors", float(failed))

    def _time(self, endpoint: Endpoint, variant: Variant, model: float, total: float) -> None:
        """Arguments: `model` and `total` are seconds."""
        for name, seconds in (("ModelLatency", model), ("OverheadLatency", total - model)):
            if name == "OverheadLatency" or model:
                self._record(endpoint, variant.spec.name, name, seconds * 1_000_000, "Microseconds")

    def _record(self, endpoint: Endpoint, variant: str, name: str, value: float, unit: str = "None") -> None:
        dimensions = (("EndpointName", endpoint.name), ("VariantName", variant))
        self._publisher.record(endpoint.scope, Metric(NAMESPACE, name, unit, dimensions), value)
