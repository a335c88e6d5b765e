"""What is shown while it happens."""

from __future__ import annotations

import io

from PIL import Image
from rich.console import Console

from avatar_demo.live_view import PlainView, TerminalView, half_blocks, view_for
from avatar_demo.observation import LandedPicture, Snapshot
from builders import demo_objects as make


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=100, color_system="truecolor"), written


def png() -> bytes:
    picture = Image.new("RGB", (64, 64), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 32, 64, 64))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_log_gets_a_line_only_when_something_changed() -> None:
    log, written = console(terminal=False)
    with PlainView(log, 0.0) as view:
        for state in ("Pending", "Pending", "Queued", "Queued"):
            view.show(Snapshot(model=make.model(state=state)))
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert "AvatarModel demo/ann" in lines[1]
    assert "Queued" in lines[1]


def test_a_line_of_a_log_is_not_wrapped_however_long_it_is() -> None:
    log, written = console(terminal=False)
    ready = make.condition("Ready", "False", "RetryScheduled", "why " * 100)
    with PlainView(log, 0.0) as view:
        view.show(Snapshot(model=make.model(state="Pending", conditions=[ready])))
    assert len(written.getvalue().splitlines()) == 1


def test_a_terminal_shows_the_newest_pictures_that_fit_beside_each_other() -> None:
    terminal, written = console(terminal=True)
    pictures = tuple(LandedPicture(f"s3://avatars/{index:02d}.png", png()) for index in range(10))
    with TerminalView(terminal, 0.0) as view:
        view.show(Snapshot(request=make.request(state="Running"), pictures=pictures))
    shown = written.getvalue()
    assert "10 of 10 pictures" in shown
    widest = max(line.count("▀") for line in shown.splitlines())
    assert widest == 80


def test_one_character_of_a_thumbnail_is_a_pixel_above_another() -> None:
    rows = half_blocks(png()).split("\n")
    top = rows[0].spans[0].style
    bottom = rows[9].spans[0].style
    assert str(top) == "rgb(255,0,0) on rgb(255,0,0)"
    assert str(bottom) == "rgb(0,0,255) on rgb(0,0,255)"


def test_a_console_that_is_no_terminal_gets_lines() -> None:
    assert isinstance(view_for(console(terminal=False)[0], 0.0), PlainView)
    assert isinstance(view_for(console(terminal=True)[0], 0.0), TerminalView)
