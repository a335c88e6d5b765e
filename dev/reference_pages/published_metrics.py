"""What is published on `/metrics`: by an operator, and by a serving container.

The operator is put together as `main` does it, without AWS and without an API server, and never started. Each of its metrics is
in the registry then, some of them without a sample yet. Who is registered, and which labels a metric will have, is kept by
prometheus_client in private attributes; a version that calls them otherwise fails the comparison of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.metered import BackendMetrics, TokensAvailable
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import SystemClock
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.kube.leadership import Leadership
from avatar_operator.operator import Operator
from avatar_operator.settings import OperatorSettings
from avatar_operator.telemetry.metrics import OperatorMetrics
from avatar_workers.serving.metrics import ServingMetrics

_SUFFIXES = {"counter": "_total", "info": "_info"}
"""What Prometheus puts behind the name of a family to make that of its series."""


@dataclass(frozen=True)
class PublishedMetric:
    """One metric, as a scrape has it."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def operator_metrics() -> list[PublishedMetric]:
    """Everything that an operator publishes about its work, by name."""
    registry, clock = CollectorRegistry(), SystemClock()
    metrics, leadership = OperatorMetrics(registry), Leadership(15)
    BackendMetrics(registry)
    IngestMetrics(registry)
    registry.register(TokensAvailable(AwsClients().throttles.available))
    settings = OperatorSettings(namespace="avatar-system")
    # Nothing is called: only what a running operator publishes is looked at.
    Operator(settings, cast(Any, None), Backends({}), cast(Any, None), clock, metrics, leadership)
    return _published(registry)


def serving_metrics() -> list[PublishedMetric]:
    """Everything that a serving container publishes, by name."""
    return _published(ServingMetrics().registry)


def _published(registry: CollectorRegistry) -> list[PublishedMetric]:
    found = [
        PublishedMetric(
            name=f"{family.name}{_SUFFIXES.get(family.type, '')}",
            type=family.type,
            labels=_labels(collector, family),
            help=family.documentation,
        )
        for collector in registry._collector_to_names
        for family in collector.collect()
    ]
    return sorted(found, key=lambda metric: metric.name)


def _labels(collector: Collector, family: Metric) -> tuple[str, ...]:
    """Those that a metric or a computed family was declared with; those of an info stand in its one sample."""
    declared = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
    if family.type == "info":
        return tuple(family.samples[0].labels)
    return tuple(declared)
