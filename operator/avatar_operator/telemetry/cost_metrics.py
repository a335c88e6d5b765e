"""What was worked and what it cost, for Prometheus: by namespace, so that a platform team can pass the bill on.

Counted by the operator that saw the work end. Seconds are what the workers measured; a process that dies before it has
counted loses that count, so these are for trends and shares, and the bill is AWS's.
"""

from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter

from avatar_api.group import Kind
from avatar_api.meta import Cost
from avatar_operator.costs import LIST_CURRENCY


class CostMetrics:
    """Seconds, money and pictures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gpu_seconds = Counter(
            "avatar_gpu_seconds",
            "Seconds that workers trained (kind AvatarModel) or drew (kind AvatarRequest).",
            ("backend", "kind", "namespace"),
            registry=registry,
        )
        self._dollars = Counter(
            "avatar_estimated_cost_dollars",
            "US dollars that these GPU seconds cost by the price list; what has a price in another currency is left out.",
            ("backend", "kind", "namespace"),
            registry=registry,
        )
        self._pictures = Counter(
            "avatar_pictures",
            "Pictures that were drawn and stored.",
            ("backend", "namespace"),
            registry=registry,
        )

    def worked(self, backend: str, kind: Kind, namespace: str, seconds: float, cost: Cost | None) -> None:
        """A worker has worked for an object of a kind."""
        self._gpu_seconds.labels(backend, kind.kind, namespace).inc(seconds)
        if cost is not None and cost.currency == LIST_CURRENCY:
            self._dollars.labels(backend, kind.kind, namespace).inc(float(Decimal(cost.amount)))

    def drew(self, backend: str, namespace: str, pictures: int) -> None:
        """A worker has drawn some pictures."""
        self._pictures.labels(backend, namespace).inc(pictures)
