"""What an expression of PromQL selects, for holding it to what the operator publishes."""

from __future__ import annotations

import re
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
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_BOUND = re.compile(r"\s*(?:==|!=|[<>]=?)\s*\d+(?:\.\d+)?(?:\s*\*\s*\d+(?:\.\d+)?)*")
_IN_THE_PAST = re.compile(r"\s+offset\s+\w+")
_ABSENCE = re.compile(r"absent\(([^()]*)\)")


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


def without_bounds(expression: str) -> str:
    """What an alert compares with its bounds, which is there also when all is well: no bounds, nothing absent, nothing of a day ago.

    Unlike its selectors one by one it is empty where two of them have no labels in common to be divided or joined by.

    Raises:
        ValueError: a comparison remains, so there is one with something else than a number.
    """
    whole = _ABSENCE.sub(r"\1", _IN_THE_PAST.sub("", _BOUND.sub("", expression)))
    if any(
        isinstance(node, promql_parser.BinaryExpr) and str(node.op) in _COMPARISONS
        for node in _nodes(promql_parser.parse(whole))
    ):
        raise ValueError(f"it compares with more than a number: {whole}")
    return whole


def looked_at(expression: str) -> list[tuple[str, str]]:
    """Every metric that an expression selects, with the function that is applied to its history; empty: only its last value."""
    tree = promql_parser.parse(expression)
    histories = [
        (node.args[0].vector_selector.name or "", str(node.func.name))
        for node in _nodes(tree)
        if isinstance(node, promql_parser.Call)
        and node.args
        and isinstance(node.args[0], promql_parser.MatrixSelector)
    ]
    left = [metric for metric, _ in histories]
    for selection in selections(expression):
        if selection.metric in left:
            left.remove(selection.metric)
        else:
            histories.append((selection.metric, ""))
    return histories


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
    found = []
    known_labels: set[str] = set(ADDED_BY_PROMETHEUS)
    for selection in selections(expression):
        metric = publisher(selection.metric, published)
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


def publisher(series: str, published: list[PublishedMetric]) -> PublishedMetric | None:
    """The metric that a series is of: of its name, or the histogram that it is a part of."""
    names = {series, *(series.removesuffix(part) for part in _PARTS_OF_A_HISTOGRAM)}
    return next((metric for metric in published if metric.name in names), None)


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
