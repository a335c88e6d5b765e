"""What an expression of PromQL selects, for holding it to what the operator publishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

from reference_pages.published_metrics import PublishedMetric

ADDED_BY_PROMETHEUS = frozenset(
    {"job", "instance", "namespace", "pod", "container", "service", "endpoint", "le"}
)
"""Labels that a series gets where it is scraped; `le` is a histogram's own."""
_CHILDREN = ("lhs", "rhs", "expr", "args", "vector_selector", "param")
_PARTS_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Selection:
    """One selector: its metric, the labels that it asks for, and their values where they have to be equal."""

    metric: str
    labels: frozenset[str]


def selections(expression: str) -> list[Selection]:
    """Every selector of an expression.

    Raises:
        ValueError: it is no valid PromQL, or its types do not fit.
    """
    return [
        Selection(node.name or "", frozenset(matcher.name for matcher in node.matchers.matchers))
        for node in _nodes(promql_parser.parse(expression))
        if isinstance(node, promql_parser.VectorSelector)
    ]


def groupings(expression: str) -> frozenset[str]:
    """Every label that an aggregation keeps or drops."""
    return frozenset(
        label
        for node in _nodes(promql_parser.parse(expression))
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None
        for label in node.modifier.labels
    )


def unknown(expression: str, published: list[PublishedMetric]) -> list[str]:
    """What an expression names that nobody publishes, one sentence each."""
    by_name = {metric.name: metric for metric in published}
    found = []
    known_labels: set[str] = set(ADDED_BY_PROMETHEUS)
    for selection in selections(expression):
        metric = by_name.get(selection.metric) or by_name.get(_family(selection.metric))
        if metric is None:
            found.append(f"nobody publishes {selection.metric}")
            continue
        known_labels |= set(metric.labels)
        found += [
            f"{selection.metric} has no label {label}"
            for label in selection.labels - set(metric.labels) - ADDED_BY_PROMETHEUS
        ]
    return found + [
        f"no selected metric has the label {label}" for label in groupings(expression) - known_labels
    ]


def _family(series: str) -> str:
    return next(
        (series.removesuffix(part) for part in _PARTS_OF_A_HISTOGRAM if series.endswith(part)), series
    )


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, list):
        for child in node:
            yield from _nodes(child)
        return
    yield node
    for name in _CHILDREN:
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, (str, int, float)):
            yield from _nodes(child)
