"""One picture that shows whether it worked: the photos, then every prompt as the base and the personal model draw it.

Columns are prompts, rows are seeds, first of the base and then of the personal model: what stands in the same place of
the two blocks differs in nothing but the model. Small pictures are enlarged to a size at which faces can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from avatar_demo.lettering import font, wrapped

_CELL = 192
_GAP = 6
_COLUMN_GAP = 18
_SECTION_GAP = 16
_MARGIN = 28
_LABEL_WIDTH, _LABEL_SIZE, _LABEL_LINE = 124, 19, 24
_CAPTION_LINES, _CAPTION_SIZE, _CAPTION_LINE = 3, 17, 21
_INK, _MUTED, _PAPER = (28, 30, 36), (108, 112, 122), (255, 255, 255)


@dataclass(frozen=True)
class PromptPictures:
    """One prompt and its pictures (PNG), those of the two models in the same order of seeds."""

    prompt: str
    by_base: Sequence[bytes]
    by_personal_model: Sequence[bytes]


@dataclass(frozen=True)
class Titles:
    """What the sheet says of itself."""

    heading: str
    photos: str
    base: str
    personal_model: str


def contact_sheet(photos: Sequence[bytes], prompts: Sequence[PromptPictures], titles: Titles) -> Image.Image:
    """Draw the sheet.

    Args:
        photos: the photos that the personal model was trained on, encoded.
        prompts: at least one, each with at least one picture a model.
        titles: the words.

    Returns:
        An RGB picture, as large as it needs to be.
    """
    content = len(prompts) * _CELL + (len(prompts) - 1) * _COLUMN_GAP
    photo_size, photo_columns = _photo_grid(len(photos), content)
    photos_height = _stacked(-(-len(photos) // photo_columns), photo_size)
    base_height = _stacked(max(len(entry.by_base) for entry in prompts), _CELL)
    personal_height = _stacked(max(len(entry.by_personal_model) for entry in prompts), _CELL)
    left = _MARGIN + _LABEL_WIDTH
    photos_top = _MARGIN + 48
    captions_bottom = photos_top + photos_height + _SECTION_GAP + _CAPTION_LINES * _CAPTION_LINE
    base_top = captions_bottom + 6
    personal_top = base_top + base_height + _COLUMN_GAP
    size = (left + content + _MARGIN, personal_top + personal_height + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 6), titles.heading, font=font(26), fill=_INK)
    _label(draw, titles.photos, photos_top, photos_height)
    _label(draw, titles.base, base_top, base_height)
    _label(draw, titles.personal_model, personal_top, personal_height)
    for index, photo in enumerate(photos):
        row, column = divmod(index, photo_columns)
        place = (left + column * (photo_size + _GAP), photos_top + row * (photo_size + _GAP))
        sheet.paste(_scaled(photo, photo_size), place)
    for index, entry in enumerate(prompts):
        x = left + index * (_CELL + _COLUMN_GAP)
        lines = wrapped(draw, f"“{entry.prompt}”", font(_CAPTION_SIZE), _CELL)[:_CAPTION_LINES]
        first = captions_bottom - len(lines) * _CAPTION_LINE
        for number, line in enumerate(lines):
            y = first + number * _CAPTION_LINE
            draw.text((x, y), line, font=font(_CAPTION_SIZE), fill=_MUTED)
        for top, pictures in ((base_top, entry.by_base), (personal_top, entry.by_personal_model)):
            for number, picture in enumerate(pictures):
                sheet.paste(_scaled(picture, _CELL), (x, top + number * (_CELL + _GAP)))
    return sheet


def _stacked(count: int, size: int) -> int:
    return count * size + (count - 1) * _GAP


def _photo_grid(count: int, width: int) -> tuple[int, int]:
    """Side of a photo and photos a row: one row if they are not too small in it."""
    for rows in (1, 2, 3):
        columns = max(1, -(-count // rows))
        size = (width - (columns - 1) * _GAP) // columns
        if size >= _CELL // 2:
            break
    return min(size, _CELL), columns


def _label(draw: ImageDraw.ImageDraw, label: str, top: int, height: int) -> None:
    face = font(_LABEL_SIZE)
    lines = wrapped(draw, label, face, _LABEL_WIDTH - 14)
    y = top + (height - len(lines) * _LABEL_LINE) // 2
    for number, line in enumerate(lines):
        draw.text((_MARGIN, y + number * _LABEL_LINE), line, font=face, fill=_INK)


def _scaled(encoded: bytes, side: int) -> Image.Image:
    with Image.open(io.BytesIO(encoded)) as picture:
        return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
