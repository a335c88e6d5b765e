"""What a dashboard's questions become without Grafana: its variables filled in, its series named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Series:
    """A line of a graph: labels, and points of a time and a value."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """A text with Grafana's variables replaced.

    Args:
        text: an expression or a legend.
        values: by name, without the dollar.

    Raises:
        KeyError: it names another variable.
    """
    return _VARIABLE.sub(lambda found: values[found[1]], text)


def name_of(series: Series, legend: str) -> str:
    """What a series is called, as a legend says it: labels in double braces are replaced by their values."""
    return _PLACE.sub(lambda found: series.labels.get(found[1], ""), legend).strip()


def panels_of(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard's JSON, without the headings of its sections."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]
