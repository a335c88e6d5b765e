"""The places people stand in: large, simple shapes whose mean colour already tells them apart.

Drawn once per place and size and cached, as a place looks the same in every photo but for light and the person in front.
"""

from __future__ import annotations

import functools

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]


def draw_background(place: str, side: int) -> Image.Image:
    """A fresh RGB picture of side x side pixels of this place (one of `attributes.BACKGROUNDS`)."""
    return _scene(place, side).copy()


@functools.lru_cache(maxsize=64)
def _scene(place: str, side: int) -> Image.Image:
    unit = side / 64
    match place:
        case "beach":
            picture = Image.new("RGB", (side, side), (70, 160, 225))
            pen = ImageDraw.Draw(picture)
            pen.rectangle([0, 26 * unit, side, 38 * unit], fill=(20, 95, 170))
            pen.rectangle([0, 38 * unit, side, side], fill=(214, 178, 108))
        case "forest":
            picture = Image.new("RGB", (side, side), (24, 84, 34))
            pen = ImageDraw.Draw(picture)
            for x in (3, 15, 45, 57):
                pen.rectangle([x * unit, 0, (x + 4.5) * unit, side], fill=(74, 46, 22))
        case "night":
            picture = Image.new("RGB", (side, side), (12, 14, 50))
            pen = ImageDraw.Draw(picture)
            pen.ellipse([49 * unit, 4 * unit, 60 * unit, 15 * unit], fill=(250, 246, 210))
            for x, y in ((5, 8), (12, 22), (4, 38), (57, 28), (52, 42), (60, 50), (10, 3)):
                pen.ellipse([x * unit, y * unit, (x + 1.6) * unit, (y + 1.6) * unit], fill=(255, 255, 255))
        case "sunset":
            picture = _gradient(side, (110, 30, 120), (255, 140, 30))
        case "snow":
            picture = Image.new("RGB", (side, side), (176, 194, 214))
            pen = ImageDraw.Draw(picture)
            pen.rectangle([0, 44 * unit, side, side], fill=(226, 234, 244))
            for x, y in ((4, 6), (11, 18), (3, 30), (53, 8), (60, 20), (54, 33), (8, 40), (59, 38)):
                pen.ellipse([x * unit, y * unit, (x + 2.4) * unit, (y + 2.4) * unit], fill=(255, 255, 255))
        case "city":
            picture = Image.new("RGB", (side, side), (128, 134, 142))
            pen = ImageDraw.Draw(picture)
            for x0, x1, top in ((0.0, 13.0, 14), (51.0, 64.0, 8)):
                pen.rectangle([x0 * unit, top * unit, x1 * unit, side], fill=(58, 62, 72))
                for y in range(top + 3, 64, 8):
                    for left in (x0 + 2.5, x0 + 8):
                        pen.rectangle(
                            [left * unit, y * unit, (left + 3) * unit, (y + 4) * unit], fill=(255, 225, 120)
                        )
        case "meadow":
            picture = Image.new("RGB", (side, side), (120, 185, 235))
            ImageDraw.Draw(picture).rectangle([0, 30 * unit, side, side], fill=(90, 165, 40))
        case "brick":
            picture = Image.new("RGB", (side, side), (150, 52, 38))
            pen = ImageDraw.Draw(picture)
            for row in range(8):
                top_edge = row * 8 * unit
                pen.rectangle([0, top_edge, side, top_edge + 1.4 * unit], fill=(186, 122, 104))
                for x in range(-8 if row % 2 else 0, 64, 16):
                    pen.rectangle(
                        [x * unit, top_edge, (x + 1.4) * unit, top_edge + 8 * unit], fill=(186, 122, 104)
                    )
        case _:
            raise KeyError(place)
    return picture


def _gradient(side: int, top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, side))
    for y in range(side):
        mix = y / (side - 1)
        red, green, blue = (round(a + (b - a) * mix) for a, b in zip(top, bottom, strict=True))
        column.putpixel((0, y), (red, green, blue))
    return column.resize((side, side))
