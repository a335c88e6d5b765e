"""Ten people to look at: photos that were trained on, what the base draws, and what each personal model draws.

A row is a person. The base's columns and the first of the personal model's share prompt and noise, so that what differs
between them is the training alone; the base knows none of these people and draws the same stranger for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from avatar_demo.lettering import font, wrapped
from synthetic_people import Person, caption, phrase
from tiny_base.dreambooth_figures import PHOTOS, PLACES, PersonFigures
from tiny_base.in_process_workers import SUBJECT

_CELL, _GAP, _GROUP_GAP, _MARGIN = 112, 4, 26, 30
_LABEL_WIDTH = 190
_TITLE, _HEADING, _SMALL = 26, 17, 14
_HEAD_HEIGHT = 128
_INK, _MUTED, _RULE, _PAPER = (28, 30, 36), (108, 112, 122), (214, 216, 222), (255, 255, 255)

_PHOTO_COLUMNS = 3
_BASE_PLACES = PLACES[:2]
_PERSONAL_PLACES = PLACES[:6]


@dataclass(frozen=True)
class _Group:
    """Columns that stand together: a heading, words over each column, and every person's pictures."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Image.Image]]

    @property
    def width(self) -> int:
        return len(self.columns) * (_CELL + _GAP) - _GAP


def people_sheet(people: Sequence[PersonFigures], first_seed: int) -> Image.Image:
    """Draw the sheet.

    Args:
        people: at least one, as `measure_person` returned them.
        first_seed: seed of the first person; those of the others follow.
    """
    prompt = f"“a photo of {SUBJECT.token} {SUBJECT.class_noun}, …”"
    groups = (
        _Group(
            f"{_PHOTO_COLUMNS} of {PHOTOS} photos",
            [""] * _PHOTO_COLUMNS,
            [person.photos[:_PHOTO_COLUMNS] for person in people],
        ),
        _Group(
            "base, the same noise",
            [f"… {phrase('background', place)}" for place in _BASE_PLACES],
            [person.by_base.of_subject[: len(_BASE_PLACES)] for person in people],
        ),
        _Group(
            f"personal model: {prompt}",
            [f"… {phrase('background', place)}" for place in _PERSONAL_PLACES],
            [person.by_personal_model.of_subject[: len(_PERSONAL_PLACES)] for person in people],
        ),
    )
    left = _MARGIN + _LABEL_WIDTH
    width = left + sum(group.width for group in groups) + _GROUP_GAP * (len(groups) - 1) + _MARGIN
    top = _MARGIN + _HEAD_HEIGHT
    sheet = Image.new("RGB", (width, top + len(people) * (_CELL + _GAP) - _GAP + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title = f"People whom the base has never seen, each learned from {PHOTOS} photos"
    draw.text((_MARGIN, _MARGIN - 6), title, font=font(_TITLE), fill=_INK)
    for index, person in enumerate(people):
        _label(draw, f"person {first_seed + index}", _described(person.person), top + index * (_CELL + _GAP))
    for group in groups:
        _paste(sheet, draw, group, left, top)
        left += group.width + _GROUP_GAP
    return sheet


def _paste(sheet: Image.Image, draw: ImageDraw.ImageDraw, group: _Group, left: int, top: int) -> None:
    rule = top - 30
    lines = wrapped(draw, group.heading, font(_HEADING), group.width)
    for number, line in enumerate(lines):
        y = rule - 8 - 22 * (len(lines) - number)
        draw.text((left, y), line, font=font(_HEADING), fill=_INK)
    draw.line((left, rule, left + group.width, rule), fill=_RULE, width=2)
    for column, words in enumerate(group.columns):
        x = left + column * (_CELL + _GAP)
        draw.text((x, rule + 6), words, font=font(_SMALL), fill=_MUTED)
        for row, pictures in enumerate(group.rows):
            picture = pictures[column].resize((_CELL, _CELL), Image.Resampling.LANCZOS)
            sheet.paste(picture, (x, top + row * (_CELL + _GAP)))


def _label(draw: ImageDraw.ImageDraw, name: str, description: str, top: int) -> None:
    lines = wrapped(draw, description, font(_SMALL), _LABEL_WIDTH - 20)
    y = top + (_CELL - 24 - 18 * len(lines)) // 2
    draw.text((_MARGIN, y), name, font=font(_HEADING), fill=_INK)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, y + 24 + 18 * number), line, font=font(_SMALL), fill=_MUTED)


def _described(person: Person) -> str:
    """The person in a caption's words, without its first ones."""
    return caption(person.attributes()).partition(", ")[2]
