"""Show what happens while it happens: a table that changes in a terminal, lines one below the other elsewhere.

Both show the same narration. A log gets a line only when something changed, so that it reads like a story.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from PIL import Image
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from avatar_demo.narration import Line, narrate
from avatar_demo.observation import LandedPicture, Snapshot

_THUMBNAIL = 20
"""Side of a picture in the terminal, in pixels; two of them share one character."""
_STATE_STYLES = {
    "Ready": "bold green",
    "Succeeded": "bold green",
    "Failed": "bold red",
    "Training": "bold cyan",
    "Running": "bold cyan",
}


class View(Protocol):
    """Shows snapshots, from `with` to its end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest snapshot."""
        ...


def view_for(console: Console, started: float) -> View:
    """The view that suits where the console writes to.

    Args:
        console: a terminal or not.
        started: the demo's start on the monotonic clock.
    """
    return TerminalView(console, started) if console.is_terminal else PlainView(console, started)


def stamped(started: float, text: str) -> str:
    """A line with the seconds since the start before it."""
    return f"[{time.monotonic() - started:6.1f} s] {text}"


class PlainView:
    """One line for each change."""

    def __init__(self, console: Console, started: float) -> None:
        self._console = console
        self._started = started
        self._shown: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        """Print the lines that differ from what was printed before."""
        for line in narrate(snapshot):
            if self._shown.get(line.subject) != (line.state, line.detail):
                self._shown[line.subject] = (line.state, line.detail)
                text = stamped(self._started, f"{line.subject:<34} {line.state:<13} {line.detail}")
                self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class TerminalView:
    """A table that is drawn over itself, and the pictures below it."""

    def __init__(self, console: Console, started: float) -> None:
        self._console = console
        self._started = started
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._thumbnails: dict[str, Text] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Draw the table anew."""
        parts: list[RenderableType] = [status_table(narrate(snapshot), time.monotonic() - self._started)]
        if snapshot.pictures:
            parts.append(Columns(self._recent(snapshot.pictures), padding=(0, 1)))
        self._live.update(Group(*parts), refresh=True)

    def _recent(self, pictures: Sequence[LandedPicture]) -> list[Text]:
        fitting = max(1, self._console.width // (_THUMBNAIL + 1))
        recent = pictures[-fitting:]
        for picture in recent:
            if picture.uri not in self._thumbnails:
                self._thumbnails[picture.uri] = half_blocks(picture.png)
        return [self._thumbnails[picture.uri] for picture in recent]


def status_table(lines: Sequence[Line], seconds: float) -> Table:
    """One row for each thing to watch.

    Args:
        lines: what to say.
        seconds: since the demo began.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for line in lines:
        detail: RenderableType = line.detail
        if line.done is not None and line.done < 1:
            bar = ProgressBar(total=1.0, completed=line.done, width=24)
            detail = Columns([bar, Text(line.detail)], padding=(0, 2))
        table.add_row(line.subject, Text(line.state, style=_STATE_STYLES.get(line.state, "")), detail)
    table.add_row(Text(f"{seconds:.0f} s", style="dim"), "", "")
    return table


def half_blocks(png: bytes) -> Text:
    """A small version of a picture in coloured characters: each shows one pixel above another."""
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    text = Text()
    for y in range(0, _THUMBNAIL, 2):
        for x in range(_THUMBNAIL):
            upper, lower = small.getpixel((x, y)), small.getpixel((x, y + 1))
            assert isinstance(upper, tuple)
            assert isinstance(lower, tuple)
            text.append("▀", style=f"rgb({_rgb(upper)}) on rgb({_rgb(lower)})")
        text.append("\n")
    return text


def _rgb(pixel: tuple[int, ...]) -> str:
    return ",".join(map(str, pixel))
