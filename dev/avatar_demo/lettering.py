"""Words on pictures: Pillow's own font, and lines that fit a width."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont


def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, at a size in pixels."""
    loaded = ImageFont.load_default(size)
    assert isinstance(loaded, ImageFont.FreeTypeFont)
    return loaded


def wrapped(draw: ImageDraw.ImageDraw, text: str, face: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """The text's words in lines of at most `width` pixels; a word that is too long has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and draw.textlength(longer, font=face) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
