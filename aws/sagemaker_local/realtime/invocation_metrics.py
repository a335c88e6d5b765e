"""The CloudWatch metrics of InvokeEndpoint that scaling and alarms use.

    Invocations              requests sent to the model, answered by it or not
    InvocationsPerInstance   each request divided by the instances in service: a Sum over a minute is what target tracking follows
    Invocation4XXErrors, Invocation5XXErrors   1 for a model's answer of that kind, else 0

All with dimensions EndpointName and VariantName. A variant whose metrics an alarm watches gets a zero every minute, so that it scales
in when its traffic ends; nobody else's do, since moto keeps every datum.

Sources: "Monitor SageMaker with CloudWatch"; "Scale-in" in "Edit a scaling policy" ("if a variant's traffic becomes zero, SageMaker emits
metrics with a value of zero") in the SageMaker guide.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

from sagemaker_local.control_plane.endpoint import Endpoint, Variant
from sagemaker_local.errors import AwsError
from sagemaker_local.metric_publishing import Metric, MetricPublisher

NAMESPACE = "AWS/SageMaker"
TRAFFIC = ("Invocations", "InvocationsPerInstance")
_REACHED_THE_MODEL = frozenset({"ModelError", "ModelNotReadyException"})


class InvocationMetrics:
    """Counts the requests of real-time endpoints."""

    def __init__(self, publisher: MetricPublisher) -> None:
        self._publisher = publisher

    def counted(self, endpoint: Endpoint, variant: Variant, invoke: Callable[[], Response]) -> Response:
        """Invoke, and count what came of it. Returns and raises what `invoke` does."""
        try:
            response = invoke()
        except AwsError as error:
            if error.code in _REACHED_THE_MODEL:
                self._count(endpoint, variant, int(error.fields.get("OriginalStatusCode") or 500))
            raise
        self._count(endpoint, variant, response.status_code)
        return response

    def idle(self, endpoint: Endpoint, variant: str) -> None:
        """Say that a variant is there, with or without traffic."""
        for name in TRAFFIC:
            self._record(endpoint, variant, name, 0.0)

    def _count(self, endpoint: Endpoint, variant: Variant, status: int) -> None:
        instances = max(len(variant.fleet.in_service()), 1)
        self._record(endpoint, variant.spec.name, "Invocations", 1.0)
        self._record(endpoint, variant.spec.name, "InvocationsPerInstance", 1.0 / instances)
        self._record(endpoint, variant.spec.name, "Invocation4XXErrors", float(400 <= status < 500))
        self._record(endpoint, variant.spec.name, "Invocation5XXErrors", float(status >= 500))

    def _record(self, endpoint: Endpoint, variant: str, name: str, value: float) -> None:
        dimensions = (("EndpointName", endpoint.name), ("VariantName", variant))
        self._publisher.record(endpoint.scope, Metric(NAMESPACE, name, "None", dimensions), value)
