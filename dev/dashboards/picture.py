"""Dashboards as one picture, for people who have no Grafana at hand: every panel at its place in the grid, with real answers.

It is drawn from the JSON that the chart ships, so that what is seen is what is shipped. It is no Grafana: colours and legends are
like its own, and nothing can be clicked.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from dashboards.answers import Series, name_of, panels_of
from dashboards.board import COLUMNS
from dashboards.units import TEXT_OF_UNIT

Ask = Callable[[Mapping[str, Any]], Sequence[Series]]
"""Answers one target of a panel's JSON."""
_DPI: Final = 80
_COLUMN, _ROW, _HEADING, _GUTTER = 0.62, 0.34, 1.0, 0.5
"""Inches: of a grid's column and row, of a dashboard's title, and between dashboards."""
_INK, _MUTED, _LINES, _PAPER, _DESK = "#24292e", "#6e7681", "#e3e6ea", "#ffffff", "#f4f5f5"
_PALETTE: Final = (
    "#7EB26D",
    "#EAB839",
    "#6ED0E0",
    "#EF843C",
    "#E24D42",
    "#1F78C1",
    "#BA43A9",
    "#705DA0",
    "#508642",
    "#CCA300",
)
_COLOURS: Final = {"text": _INK, "green": "#37872D", "orange": "#FA6400", "red": "#C4162A"}
_LEGEND_LINES, _LEGEND_LETTERS, _NARROW = 2, 26, 6
"""Lines of a legend, letters of each name, and the columns of a panel that has room for two names in a line."""


def picture(columns: Sequence[Sequence[Mapping[str, Any]]], ask: Ask, begin: float, end: float) -> bytes:
    """Draw dashboards.

    Args:
        columns: dashboards as JSON, those of a column below one another.
        ask: answers a target.
        begin: of the time that is shown, in seconds since 1970.
        end: likewise.

    Returns:
        A PNG.
    """
    width = len(columns) * (COLUMNS * _COLUMN + _GUTTER) + _GUTTER
    height = _GUTTER + max(sum(map(_height, boards)) for boards in columns)
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor=_DESK)
    for number, boards in enumerate(columns):
        left, top = _GUTTER + number * (COLUMNS * _COLUMN + _GUTTER), height - _GUTTER / 2
        for board in boards:
            figure.text(
                left / width,
                (top - _HEADING / 2) / height,
                board["title"],
                size=18,
                weight="bold",
                color=_INK,
                va="center",
            )
            _Board(figure, left, top - _HEADING, ask, begin, end).draw(board)
            top -= _height(board)
    raw = io.BytesIO()
    figure.savefig(raw, format="png", facecolor=_DESK)
    return _with_few_colours(raw.getvalue())


def _height(board: Mapping[str, Any]) -> float:
    rows: int = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    return _HEADING + _GUTTER + _ROW * rows


def _with_few_colours(png: bytes) -> bytes:
    """A third of the bytes, and nobody sees a difference."""
    small = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


class _Board:
    """One dashboard on the sheet; `left` and `top` are where its grid begins, in inches from the sheet's lower left corner."""

    def __init__(self, figure: Figure, left: float, top: float, ask: Ask, begin: float, end: float) -> None:
        self._figure, self._left, self._top = figure, left, top
        self._ask, self._begin, self._end = ask, begin, end

    def draw(self, board: Mapping[str, Any]) -> None:
        for row in (panel for panel in board["panels"] if panel["type"] == "row"):
            x, y, _, height = self._box(row["gridPos"])
            self._write(x, y + height / 2, row["title"], size=10, weight="bold", color=_MUTED, va="center")
        for panel in panels_of(board):
            x, y, width, height = self._box(panel["gridPos"])
            gap = 0.04
            self._figure.add_artist(
                Rectangle(
                    self._share(x + gap, y + gap),
                    (width - 2 * gap) / self._width,
                    (height - 2 * gap) / self._height,
                    facecolor=_PAPER,
                    edgecolor=_LINES,
                    linewidth=0.8,
                    zorder=-1,
                )
            )
            self._write(x + 0.14, y + height - 0.13, panel["title"], size=9, weight="bold", va="top")
            named = [
                (name_of(series, target.get("legendFormat", "")), series)
                for target in panel["targets"]
                for series in self._ask(target)
            ]
            if not named:
                empty = panel["fieldConfig"]["defaults"]["noValue"]
                self._write(
                    x + width / 2, y + height / 2, empty, size=8, color=_MUTED, ha="center", va="center"
                )
            elif panel["type"] == "stat":
                self._figure_of(panel, named[0][1])
            else:
                self._graph_of(panel, named)

    def _figure_of(self, panel: Mapping[str, Any], series: Series) -> None:
        x, y, width, height = self._box(panel["gridPos"])
        defaults, value = panel["fieldConfig"]["defaults"], series.points[-1][1]
        steps = defaults["thresholds"]["steps"]
        colour = [step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]
        self._write(
            x + width / 2,
            y + height / 2 - 0.08,
            TEXT_OF_UNIT[defaults["unit"]](round(value, defaults["decimals"])),
            size=22,
            color=_COLOURS[colour],
            ha="center",
            va="center",
        )

    def _graph_of(self, panel: Mapping[str, Any], named: Sequence[tuple[str, Series]]) -> None:
        x, y, width, height = self._box(panel["gridPos"])
        across = 2 if panel["gridPos"]["w"] <= _NARROW else 3
        legend = 0.17 * min(_LEGEND_LINES, math.ceil(len(named) / across)) + 0.05
        corner = self._share(x + 0.75, y + legend + 0.3)
        axes = self._figure.add_axes(
            (*corner, (width - 0.9) / self._width, (height - legend - 0.75) / self._height)
        )
        defaults = panel["fieldConfig"]["defaults"]
        colours = cycle(_PALETTE)
        if defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal":
            self._stack(axes, named, [next(colours) for _ in named])
        else:
            for (name, series), colour in zip(named, colours, strict=False):
                times, values = zip(*series.points, strict=True)
                minutes = [self._minutes(when) for when in times]
                axes.plot(minutes, values, color=colour, linewidth=1.3, label=_shortened(name))
        self._dress(axes, defaults["unit"])
        handles, labels = axes.get_legend_handles_labels()
        shown = _most_seen([series for _, series in named], across * _LEGEND_LINES)
        words = [labels[number] for number in shown]
        if len(labels) > len(shown):
            words[-1] = f"and {len(labels) - len(shown) + 1} more"
        axes.legend(
            [handles[number] for number in shown],
            words,
            loc="lower left",
            bbox_to_anchor=self._share(x + 0.1, y + 0.07),
            bbox_transform=self._figure.transFigure,
            borderaxespad=0.0,
            borderpad=0.1,
            labelspacing=0.3,
            ncols=across,
            fontsize=6.5,
            frameon=False,
            handlelength=1.0,
            columnspacing=0.9,
            labelcolor=_INK,
        )

    def _stack(self, axes: Axes, named: Sequence[tuple[str, Series]], colours: Sequence[str]) -> None:
        times = sorted({when for _, series in named for when, _ in series.points})
        heights = [[dict(series.points).get(when, 0.0) for when in times] for _, series in named]
        axes.stackplot(
            [self._minutes(when) for when in times],
            heights,
            labels=[_shortened(name) for name, _ in named],
            colors=list(colours),
            alpha=0.75,
        )

    def _dress(self, axes: Axes, unit: str) -> None:
        text = TEXT_OF_UNIT[unit]
        axes.set_xlim(0, self._minutes(self._end))
        lowest, highest = axes.dataLim.y0, axes.dataLim.y1
        # What is nothing is seen to be nothing, at the foot of an axis that goes to 1.
        axes.set_ylim(min(0.0, lowest), 1.1 * highest if highest > 0 else 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[2.5, 5, 10]))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{int(value)}:{60 * value % 60:02.0f}")
        )
        axes.tick_params(labelsize=6.5, colors=_MUTED, length=0)
        axes.grid(color=_LINES, linewidth=0.6)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_visible(False)

    def _minutes(self, when: float) -> float:
        return (when - self._begin) / 60

    @property
    def _width(self) -> float:
        return float(self._figure.get_figwidth())

    @property
    def _height(self) -> float:
        return float(self._figure.get_figheight())

    def _box(self, place: Mapping[str, int]) -> tuple[float, float, float, float]:
        """A panel's lower left corner, width and height, in inches."""
        width, height = place["w"] * _COLUMN, place["h"] * _ROW
        return self._left + place["x"] * _COLUMN, self._top - place["y"] * _ROW - height, width, height

    def _share(self, x: float, y: float) -> tuple[float, float]:
        return x / self._width, y / self._height

    def _write(self, x: float, y: float, words: str, **style: Any) -> None:
        self._figure.text(*self._share(x, y), words, **{"color": _INK, **style})


def _most_seen(lines: Sequence[Series], room: int) -> list[int]:
    """The numbers of the lines that a legend has room for: those that were highest, in their order."""
    highest = [max(value for _, value in line.points) for line in lines]
    return sorted(sorted(range(len(lines)), key=lambda number: -highest[number])[:room])


def _shortened(name: str) -> str:
    return name if len(name) <= _LEGEND_LETTERS else f"{name[: _LEGEND_LETTERS - 1]}…"
