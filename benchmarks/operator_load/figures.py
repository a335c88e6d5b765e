"""What was measured, beside what it shall be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """A line of the result.

    Attributes:
        what: was measured.
        value: the measurement, with its unit.
        goal: what it shall be; empty if nothing is promised.
        holds: whether it is so; None if nothing is promised.
        peer: what stands for comparison, and the ratio to it; empty if there is none.
    """

    what: str
    value: str
    goal: str = ""
    holds: bool | None = None
    peer: str = ""


def below(
    what: str, value: float, limit: float, unit: str = "", *, digits: int = 1, peer: str = ""
) -> Figure:
    """A figure that shall stay below a limit."""
    return Figure(what, _text(value, unit, digits), f"< {_text(limit, unit, 0)}", value < limit, peer)


def at_most(
    what: str, value: float, limit: float, unit: str = "", *, digits: int = 1, peer: str = ""
) -> Figure:
    """A figure that shall not exceed a limit."""
    goal = f"<= {_text(limit, unit, digits)}"
    return Figure(what, _text(value, unit, digits), goal, round(value, digits) <= limit, peer)


def at_least(
    what: str, value: float, limit: float, unit: str = "", *, digits: int = 1, peer: str = ""
) -> Figure:
    """A figure that shall not fall below a limit."""
    goal = f">= {_text(limit, unit, digits)}"
    return Figure(what, _text(value, unit, digits), goal, round(value, digits) >= limit, peer)


def none_of(what: str, count: int) -> Figure:
    """Something that shall never be."""
    return Figure(what, str(count), "0", count == 0)


def plain(what: str, value: float, unit: str = "", *, digits: int = 1, peer: str = "") -> Figure:
    """A figure without a promise."""
    return Figure(what, _text(value, unit, digits), peer=peer)


def table_of(title: str, figures: Iterable[Figure]) -> Table:
    """The figures as a table."""
    table = Table("figure", "value", "goal", "", "peer and ratio", title=title, title_justify="left")
    for figure in figures:
        verdict = {True: "[green]holds[/]", False: "[red]missed[/]", None: ""}[figure.holds]
        table.add_row(figure.what, figure.value, figure.goal, verdict, figure.peer)
    return table


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by `share` of the values (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def _text(value: float, unit: str, digits: int) -> str:
    return f"{value:.{digits}f} {unit}".rstrip()
