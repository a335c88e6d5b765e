"""One picture that shows whether it worked: the photos, then every prompt as the base and the personal model draw it.

Columns are prompts, so a prompt's two pictures stand one above the other and differ in nothing but the model. Small
pictures are enlarged by whole pixels' interpolation (Lanczos) to a size at which faces can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

_CELL = 176
_GAP = 8
_GROUP_GAP = 20
_MARGIN = 28
_LABEL_WIDTH = 118
_CAPTION_LINES = 3
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
    groups = [max(len(entry.by_base), len(entry.by_personal_model)) for entry in prompts]
    widths = [count * _CELL + (count - 1) * _GAP for count in groups]
    content = sum(widths) + (len(widths) - 1) * _GROUP_GAP
    photo_size, photo_columns = _photo_grid(len(photos), content)
    photo_rows = -(-len(photos) // photo_columns)
    heading, text, caption = _font(26), _font(18), _font(15)
    line_height = 19

    photos_top = _MARGIN + 48
    photos_height = photo_rows * photo_size + (photo_rows - 1) * _GAP
    captions_top = photos_top + photos_height + _GROUP_GAP + 6
    base_top = captions_top + _CAPTION_LINES * line_height + 8
    personal_top = base_top + _CELL + _GAP
    left = _MARGIN + _LABEL_WIDTH
    sheet = Image.new("RGB", (left + content + _MARGIN, personal_top + _CELL + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)

    draw.text((_MARGIN, _MARGIN - 6), titles.heading, font=heading, fill=_INK)
    _label(draw, titles.photos, photos_top, photo_size, text)
    for index, photo in enumerate(photos):
        row, column = divmod(index, photo_columns)
        place = (left + column * (photo_size + _GAP), photos_top + row * (photo_size + _GAP))
        sheet.paste(_scaled(photo, photo_size), place)

    _label(draw, titles.base, base_top, _CELL, text)
    _label(draw, titles.personal_model, personal_top, _CELL, text)
    x = left
    for entry, width in zip(prompts, widths, strict=True):
        lines = _wrapped(draw, f"“{entry.prompt}”", caption, width)[:_CAPTION_LINES]
        first = base_top - 8 - len(lines) * line_height
        for number, line in enumerate(lines):
            draw.text((x, first + number * line_height), line, font=caption, fill=_MUTED)
        for top, pictures in ((base_top, entry.by_base), (personal_top, entry.by_personal_model)):
            for number, picture in enumerate(pictures):
                sheet.paste(_scaled(picture, _CELL), (x + number * (_CELL + _GAP), top))
        x += width + _GROUP_GAP
    return sheet


def _photo_grid(count: int, width: int) -> tuple[int, int]:
    """Side of a photo and photos a row: one row if they are not too small in it."""
    for rows in (1, 2, 3):
        columns = max(1, -(-count // rows))
        size = (width - (columns - 1) * _GAP) // columns
        if size >= _CELL // 2:
            break
    return min(size, _CELL), columns


def _label(
    draw: ImageDraw.ImageDraw, label: str, top: int, height: int, font: ImageFont.FreeTypeFont
) -> None:
    lines = _wrapped(draw, label, font, _LABEL_WIDTH - 14)
    y = top + (height - len(lines) * 23) // 2
    for number, line in enumerate(lines):
        draw.text((_MARGIN, y + number * 23), line, font=font, fill=_INK)


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font=font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _scaled(encoded: bytes, side: int) -> Image.Image:
    with Image.open(io.BytesIO(encoded)) as picture:
        return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
