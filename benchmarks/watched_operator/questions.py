"""What dashboards and alerts ask a Prometheus about a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards.answers import Series, filled_in
from dashboards.prometheus_server import Prometheus

_RATE_INTERVAL: Final = "10s"


@dataclass(frozen=True)
class Questions:
    """Questions about a run.

    Attributes:
        prometheus: that watches.
        began: when the run did, in seconds since 1970.
        tenant: whose namespace a dashboard about a single one is of.
    """

    prometheus: Prometheus
    began: float
    tenant: str

    def asks(self, expression: str) -> list[Series]:
        """What a dashboard's or an alert's expression was, from the beginning until now."""
        return self._over(expression, self.began, time.time())

    def answers(self, target: Mapping[str, Any]) -> list[Series]:
        """What a panel's target shows: over the run, or as a figure only its last value."""
        now = time.time()
        return self._over(target["expr"], now if target.get("instant") else self.began, now)

    def _over(self, expression: str, begin: float, end: float) -> list[Series]:
        seconds = max(1, round(end - self.began))
        values = {"__rate_interval": _RATE_INTERVAL, "__range": f"{seconds}s", "namespace": self.tenant}
        return self.prometheus.over(filled_in(expression, values), begin, end, step=1.0)
