"""What a dashboard is made of, without anything of Grafana's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

COLUMNS = 24
"""The width of Grafana's grid."""


@dataclass(frozen=True)
class Query:
    """A question to Prometheus.

    Attributes:
        expression: in PromQL, with Grafana's variables.
        legend: what a series is called, with its labels in double braces.
    """

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Step:
    """From a value on, a figure has a colour."""

    value: float
    colour: str


@dataclass(frozen=True)
class Graph:
    """Series over time.

    Attributes:
        title: what is seen.
        description: what it counts, and what to think of it.
        unit: one of Grafana's.
        queries: what is asked.
        empty: what it means if there is no series.
        width: in columns.
        stacked: whether the series are parts of one whole.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    empty: str
    width: int = 8
    stacked: bool = False


@dataclass(frozen=True)
class Figure:
    """One number, as it is now or over the range that is looked at.

    Attributes:
        title: what is seen.
        description: what it counts, and what to think of it.
        unit: one of Grafana's.
        query: what is asked; one series.
        empty: what it means if there is no series.
        width: in columns.
        colour: below the first step.
        steps: in rising order.
    """

    title: str
    description: str
    unit: str
    query: Query
    empty: str
    width: int = 4
    colour: str = "text"
    steps: Sequence[Step] = ()

    @property
    def queries(self) -> Sequence[Query]:
        """What is asked, as a graph says it."""
        return (self.query,)


Panel = Graph | Figure


@dataclass(frozen=True)
class Section:
    """Panels that belong together, under one heading. Lines of them are full: their widths come to 24."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Choice:
    """A variable that the reader chooses: the values of a label."""

    name: str
    title: str
    label: str
    series: str


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        uid: its name in links, for ever.
        title: its name for people.
        description: what it is for.
        sections: what it shows.
        hours: the range that it begins with.
        choices: what the reader chooses.
    """

    uid: str
    title: str
    description: str
    sections: Sequence[Section]
    hours: int = 6
    choices: Sequence[Choice] = field(default=())

    @property
    def panels(self) -> list[Panel]:
        """All of them, in the order of reading."""
        return [panel for section in self.sections for panel in section.panels]


def quantiles(
    metric: str, window: str, labels: str = "", by: Sequence[str] = (), quantile: float = 0.95
) -> Query:
    """A quantile of a histogram, and what a series of it is called.

    Args:
        metric: the histogram, without `_bucket`.
        window: over which time.
        labels: matchers, as PromQL has them between braces.
        by: labels that the series are told apart by.
        quantile: which.
    """
    kept = ", ".join(("le", *by))
    named = " ".join(f"{{{{{label}}}}}" for label in by)
    chosen = f"{{{labels}}}" if labels else ""
    # What was never observed has a quantile that is no number; the comparison leaves it out.
    expression = (
        f"histogram_quantile({quantile}, sum by ({kept}) (rate({metric}_bucket{chosen}[{window}]))) >= 0"
    )
    return Query(expression, f"{named} p{quantile * 100:.0f}".strip())
