"""Draws a person: flat, bold shapes with a face that has human-like contrast.

Coordinates are those of a 64 x 64 picture, whatever the size drawn; the picture is drawn several times larger and
shrunk, which smooths edges. The person is a layer of its own, so that tilt, zoom and shift move it over the scenery.
Eye sockets are darker than cheeks and the nose bridge lighter, on every skin: that is what a Viola-Jones face detector
looks for, and it makes photo preparation testable on drawn people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from synthetic_people.attributes import Person, PhotoAttributes
from synthetic_people.scenery import draw_background

Colour = tuple[int, int, int]

_SKIN: dict[str, Colour] = {
    "pale": (250, 218, 196),
    "tan": (226, 172, 118),
    "brown": (170, 114, 74),
    "dark": (108, 70, 48),
}
_HAIR: dict[str, Colour] = {
    "black": (24, 22, 26),
    "blond": (244, 206, 84),
    "red": (196, 44, 24),
    "white": (238, 238, 240),
    "blue": (40, 80, 220),
    "green": (40, 165, 60),
    "pink": (246, 110, 190),
}
_INK: Colour = (22, 18, 20)
_MAX_SIZE = 1024


def render(person: Person, photo: PhotoAttributes, size: int = 64) -> Image.Image:
    """Draws one photo.

    Args:
        person: Who.
        photo: Where, in which clothes, how posed and lit.
        size: Side in pixels, 16 to 1024.

    Returns:
        An RGB picture of size x size; the same arguments give the same pixels.

    Raises:
        ValueError: The size is out of range.
    """
    if not 16 <= size <= _MAX_SIZE:
        raise ValueError(f"size {size} is out of range: give 16 to {_MAX_SIZE} pixels")
    side = size * (4 if size <= 128 else 2)
    background = draw_background(photo.background, side)
    figure = _Figure(side, person, photo).draw()
    posed = _pose(figure, photo, side)
    background.paste(posed, (0, 0), posed)
    picture = background.resize((size, size), Image.Resampling.BOX)
    return picture.point([min(255, round(level * photo.light)) for level in range(256)] * 3)


def _pose(figure: Image.Image, photo: PhotoAttributes, side: int) -> Image.Image:
    """Rotates and zooms about the chest, then shifts; PIL wants the inverse map, output pixel -> input pixel."""
    unit = side / 64
    angle = math.radians(photo.tilt)
    cos, sin = math.cos(angle) / photo.zoom, math.sin(angle) / photo.zoom
    centre_x, centre_y = 32 * unit, 52 * unit
    shift_x, shift_y = photo.shift[0] * unit, photo.shift[1] * unit
    offset_x = centre_x - cos * (centre_x + shift_x) - sin * (centre_y + shift_y)
    offset_y = centre_y + sin * (centre_x + shift_x) - cos * (centre_y + shift_y)
    return figure.transform(
        figure.size,
        Image.Transform.AFFINE,
        (cos, sin, offset_x, -sin, cos, offset_y),
        Image.Resampling.BILINEAR,
    )


class _Figure:
    """The layer with the person on it; one method a feature, called back to front."""

    def __init__(self, side: int, person: Person, photo: PhotoAttributes) -> None:
        self.unit = side / 64
        self.image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)
        self.person, self.photo = person, photo
        self.skin, self.hair = _SKIN[person.skin], _HAIR[person.hair_colour]

    def draw(self) -> Image.Image:
        self._hair_behind()
        self._clothes()
        self._head()
        self._hair_in_front()
        self._face()
        self._beard()
        self._mouth()
        self._eyewear()
        self._hat()
        return self.image

    def _ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        u = self.unit
        self.pen.ellipse([(x - rx) * u, (y - ry) * u, (x + rx) * u, (y + ry) * u], fill=fill)

    def _polygon(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        self.pen.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=fill)

    def _box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, radius: float = 0) -> None:
        u = self.unit
        self.pen.rounded_rectangle([x0 * u, y0 * u, x1 * u, y1 * u], radius * u, fill=fill)

    def _line(self, points: Sequence[tuple[float, float]], width: float, fill: Colour) -> None:
        self.pen.line(
            [(x * self.unit, y * self.unit) for x, y in points], fill, round(width * self.unit), "curve"
        )

    def _hair_behind(self) -> None:
        match self.person.hair_style:
            case "long":
                self._box(15, 12, 49, 57, self.hair, radius=13)
            case "curly":
                for step in range(14):
                    angle = math.pi * (0.93 + 1.14 * step / 13)
                    self._ellipse(32 + 15 * math.cos(angle), 27 + 14 * math.sin(angle), 6.5, 6.5, self.hair)

    def _clothes(self) -> None:
        body = [(10, 66), (11, 56), (16, 52), (27, 49.5), (37, 49.5), (48, 52), (53, 56), (54, 66)]
        match self.photo.clothes:
            case "suit":
                self._polygon(body, (34, 34, 44))
                self._polygon([(25, 49.5), (39, 49.5), (32, 66)], (250, 250, 250))
                self._polygon([(30.5, 52), (33.5, 52), (35, 66), (29, 66)], (200, 20, 40))
            case "stripes":
                self._polygon(body, (245, 245, 245))
                for y in (52.5, 57.5, 62.5):
                    inset = 4 if y < 54 else 0
                    self._box(10.5 + inset, y, 53.5 - inset, y + 2.6, (30, 50, 140))
            case "raincoat":
                self._polygon(body, (255, 214, 10))
                self._line([(32, 50), (32, 66)], 1.4, (150, 110, 0))
            case "sweater":
                self._polygon(body, (20, 140, 110))
                self._box(24, 48.5, 40, 53, (14, 105, 84), radius=2)
            case "hoodie":
                self._polygon(body, (135, 60, 190))
                self._ellipse(32, 51.5, 12, 4.5, (95, 35, 140))

    def _head(self) -> None:
        neck = _shade(self.skin, 0.82)
        self._box(27, 42, 37, 52, neck, radius=3)
        for x in (18.6, 45.4):
            self._ellipse(x, 32, 2.4, 3.6, _shade(self.skin, 0.88))
        self._ellipse(32, 31, 13.6, 16, self.skin)
        # Cheeks lighter than the sockets drawn in _face: the strongest cue of a face detector.
        for x in (25.5, 38.5):
            self._ellipse(x, 35.6, 5, 3.4, _lighter(self.skin, 0.18))
        self._ellipse(32, 20.5, 8.5, 4, _lighter(self.skin, 0.1))

    def _hair_in_front(self) -> None:
        u = self.unit
        match self.person.hair_style:
            case "mohawk":
                crest = [(28, 19), (27, 6), (29.5, 8.5), (32, 2), (34.5, 8.5), (37, 6), (36, 19), (32, 22)]
                self._polygon(crest, self.hair)
            case "short" | "long" | "curly":
                self.pen.chord([18 * u, 13.5 * u, 46 * u, 45 * u], 210, 330, fill=self.hair)
                if self.person.hair_style != "curly":
                    for x in (19.4, 44.6):
                        self._box(x - 1.8, 22, x + 1.8, 30, self.hair, radius=1.5)
                if self.person.hair_style == "long":
                    for x in (18.2, 45.8):
                        self._box(x - 3.2, 22, x + 3.2, 56, self.hair, radius=3)

    def _face(self) -> None:
        socket = _shade(self.skin, 0.62)
        for x in (25.6, 38.4):
            self._ellipse(x, 28.6, 4.6, 3.2, socket)
            self._ellipse(x, 29, 2.8, 1.5, (235, 235, 235))
            self._ellipse(x, 29, 1.8, 1.8, _INK)
            self._line([(x - 4, 25.8), (x, 25), (x + 4, 25.8)], 1.5, _shade(self.hair, 0.6))
        self._box(30.6, 26, 33.4, 35.5, _lighter(self.skin, 0.25), radius=1.2)
        self._line([(30, 36.2), (32, 37), (34, 36.2)], 1.2, _shade(self.skin, 0.6))

    def _mouth(self) -> None:
        u = self.unit
        if self.photo.expression == "smiling":
            self.pen.chord([27 * u, 36 * u, 37 * u, 43.4 * u], 10, 170, fill=(250, 250, 250))
            self.pen.arc([27 * u, 36 * u, 37 * u, 43.4 * u], 5, 175, fill=(150, 30, 40), width=round(1.1 * u))
        else:
            self._ellipse(32, 41.4, 2.6, 3, (120, 20, 30))
            self._ellipse(32, 41.4, 1.5, 1.9, _INK)

    def _beard(self) -> None:
        u = self.unit
        match self.person.beard:
            case "beard":
                self.pen.chord([18 * u, 17 * u, 46 * u, 49.5 * u], 24, 156, fill=self.hair)
                self._ellipse(32, 41, 6.2, 4, self.skin)
            case "goatee":
                self._polygon([(28.6, 44.4), (35.4, 44.4), (34.6, 50), (32, 53), (29.4, 50)], self.hair)
            case "moustache":
                self._polygon(
                    [
                        (32, 37.4),
                        (36, 37.2),
                        (40.5, 40.4),
                        (36.5, 40.2),
                        (32, 39.4),
                        (27.5, 40.2),
                        (23.5, 40.4),
                        (28, 37.2),
                    ],
                    self.hair,
                )

    def _eyewear(self) -> None:
        u = self.unit
        match self.person.eyewear:
            case "glasses":
                for x in (25.6, 38.4):
                    box = [(x - 5.2) * u, (29.8 - 4.6) * u, (x + 5.2) * u, (29.8 + 4.6) * u]
                    self.pen.ellipse(box, outline=(210, 30, 30), width=round(1.5 * u))
                self._line([(30.6, 29), (33.4, 29)], 1.5, (210, 30, 30))
            case "sunglasses":
                for x in (25.4, 38.6):
                    self._box(x - 5.6, 26.4, x + 5.6, 33.2, (14, 14, 18), radius=2.4)
                self._line([(19, 27.6), (45, 27.6)], 1.6, (14, 14, 18))
            case "eyepatch":
                self._line([(18.6, 21.5), (45.5, 34)], 1.3, _INK)
                self._ellipse(25.6, 29.6, 5, 4.4, _INK)

    def _hat(self) -> None:
        u = self.unit
        match self.person.hat:
            case "cap":
                self.pen.chord([18.4 * u, 6 * u, 45.6 * u, 32 * u], 180, 360, fill=(225, 60, 20))
                self._box(14, 16.8, 46, 20.2, (150, 30, 10), radius=1.6)
            case "crown":
                points = [
                    (19, 20.2),
                    (18, 6),
                    (24, 12.5),
                    (28, 3),
                    (32, 12),
                    (36, 3),
                    (40, 12.5),
                    (46, 6),
                    (45, 20.2),
                ]
                self._polygon(points, (250, 190, 20))
                for x in (24.5, 32, 39.5):
                    self._ellipse(x, 16.8, 1.5, 1.5, (200, 20, 60))
            case "beanie":
                self._ellipse(32, 5, 3.6, 3.6, (255, 255, 255))
                self.pen.chord([17.6 * u, 5.5 * u, 46.4 * u, 33 * u], 180, 360, fill=(30, 130, 200))
                self._box(17, 16.8, 47, 20.8, (255, 255, 255), radius=1.8)
            case "tophat":
                self._box(22, 1, 42, 18, (20, 20, 26), radius=1)
                self._box(22, 13.5, 42, 17, (150, 20, 50))
                self._box(14, 17, 50, 20.2, (20, 20, 26), radius=1.5)


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(level * factor)) for level in colour)
    return red, green, blue


def _lighter(colour: Colour, share: float) -> Colour:
    red, green, blue = (round(level + (255 - level) * share) for level in colour)
    return red, green, blue
