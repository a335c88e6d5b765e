"""docs/metrics.md: every metric with its type, its labels and its help text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reference_pages.published_metrics import PublishedMetric

_BEGINNING = """<!-- Generated from the code by `make generate`. Do not edit. -->

# Metrics

What `# HELP` says in a scrape, in one place. What is worth an alert: [operating.md](operating.md#metrics). No label ever holds
an object's name.

## Operator

On `/metrics` of the operator's port ([settings.md](settings.md)), beside those of the Python process.
"""
_SERVING = """
## Serving container

On `/metrics` of each serving container. SageMaker shows it to nobody; it is for a container that runs elsewhere.
"""


def metrics_page(operator: Iterable[PublishedMetric], serving: Iterable[PublishedMetric]) -> str:
    """The page.

    Args:
        operator: what an operator publishes.
        serving: what a serving container publishes.
    """
    return "\n".join([_BEGINNING, *_table(operator), _SERVING, *_table(serving), ""])


def _table(metrics: Iterable[PublishedMetric]) -> Iterator[str]:
    yield "| metric | type | labels | what it is |"
    yield "|---|---|---|---|"
    for metric in metrics:
        yield f"| `{metric.name}` | {metric.type} | {', '.join(metric.labels)} | {metric.help} |"
