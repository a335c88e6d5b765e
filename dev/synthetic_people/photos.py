"""Photo sets as a user would upload them: encoded files, with the flaws that real uploads have when a test asks.

A flaw keeps the set's length: it replaces one good photo. What each flaw is for:

| flaw         | what the file is                                            | what photo preparation should do  |
|--------------|-------------------------------------------------------------|-----------------------------------|
| blurred      | far out of focus                                            | reject                            |
| duplicate    | the previous photo once more, recompressed                  | reject one of the two             |
| tiny         | 48 pixels wide                                              | reject                            |
| rotated      | stored on its side, EXIF orientation 6 tells how to turn it | turn, then accept                 |
| stranger     | one face, of somebody else                                  | reject where identities are known |
| two_people   | the person beside somebody else                             | reject                            |
| no_person    | scenery only                                                | reject                            |
| not_an_image | text with an image's name                                   | reject                            |
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from PIL import Image, ImageFilter

from synthetic_people.attributes import Person, PhotoAttributes
from synthetic_people.captions import caption
from synthetic_people.drawing import render
from synthetic_people.scenery import draw_background

Flaw = Literal[
    "blurred", "duplicate", "tiny", "rotated", "stranger", "two_people", "no_person", "not_an_image"
]
FLAWS: tuple[Flaw, ...] = get_args(Flaw)

_MAX_PHOTOS = 1000
_EXIF_ORIENTATION = 0x0112
_EXIF_ROTATE_90_CLOCKWISE_TO_VIEW = 6


@dataclass(frozen=True)
class Photo:
    """One file of a photo set.

    Attributes:
        name: File name with extension, unique in its set.
        data: The encoded file, JPEG (or plain text for the flaw `not_an_image`).
        caption: What the photo shows, every attribute named.
        person: Who is in it; for `stranger` the stranger, for `no_person` the person who is missing.
        attributes: Where, clothes, expression and pose.
        flaw: What is wrong with the file, if anything.
    """

    name: str
    data: bytes
    caption: str
    person: Person
    attributes: PhotoAttributes
    flaw: Flaw | None = None

    @property
    def image(self) -> Image.Image:
        """The decoded picture as stored, EXIF not applied. Raises PIL.UnidentifiedImageError for `not_an_image`."""
        return Image.open(io.BytesIO(self.data))


def photo_set(
    person: Person, count: int = 12, seed: int = 0, flaws: Sequence[Flaw] = (), size: int = 256
) -> list[Photo]:
    """Photos of one person, each at another place or in other clothes as far as there are any.

    Args:
        person: Who.
        count: How many files, 1 to 1000.
        seed: Same seed, same bytes.
        flaws: One file per entry is flawed; the flawed files are spread over the set, never the first.
        size: Side of the pictures in pixels.

    Raises:
        ValueError: The count is out of range, there are more flaws than files to carry them, or a flaw is unknown.
    """
    if not 1 <= count <= _MAX_PHOTOS:
        raise ValueError(f"count {count} is out of range: give 1 to {_MAX_PHOTOS} photos")
    if unknown := [flaw for flaw in flaws if flaw not in FLAWS]:
        raise ValueError(f"unknown flaw {unknown[0]!r}: give any of {', '.join(FLAWS)}")
    if len(flaws) > count - 1:
        raise ValueError(f"{len(flaws)} flaws do not fit into {count} photos: one photo at least stays good")
    rng = random.Random(f"photo set {seed} of {'/'.join(person.attributes().values())}")
    places = rng.sample(range(1, count), len(flaws))
    flaw_at = dict(zip(sorted(places), flaws, strict=True))
    photos: list[Photo] = []
    for index, scene in enumerate(_varied_scenes(rng, count)):
        flaw = flaw_at.get(index)
        if flaw is None:
            shown, data = person, _jpeg(render(person, scene, size))
        else:
            shown, scene, data = _flawed(flaw, person, scene, size, rng, photos[-1])
        words = caption(shown.attributes() | scene.attributes())
        photos.append(Photo(f"photo-{index:03d}.jpg", data, words, shown, scene, flaw))
    return photos


def _varied_scenes(rng: random.Random, count: int) -> list[PhotoAttributes]:
    seen: set[tuple[str, ...]] = set()
    scenes: list[PhotoAttributes] = []
    attempts = 0
    while len(scenes) < count:
        scene = PhotoAttributes.random(rng)
        key = tuple(scene.attributes().values())
        attempts += 1
        if key not in seen or attempts > 20 * count:
            seen.add(key)
            scenes.append(scene)
    return scenes


def _flawed(
    flaw: Flaw, person: Person, scene: PhotoAttributes, size: int, rng: random.Random, previous: Photo
) -> tuple[Person, PhotoAttributes, bytes]:
    """Who and what the flawed file shows, and the file."""
    match flaw:
        case "duplicate":
            if previous.flaw == "not_an_image":
                return person, scene, previous.data
            return previous.person, previous.attributes, _jpeg(previous.image.convert("RGB"), quality=80)
        case "stranger":
            stranger = _somebody_else(person, rng)
            return stranger, scene, _jpeg(render(stranger, scene, size))
        case "blurred":
            picture = render(person, scene, size).filter(ImageFilter.GaussianBlur(size / 24))
        case "tiny":
            picture = render(person, scene, 48)
        case "rotated":
            exif = Image.Exif()
            exif[_EXIF_ORIENTATION] = _EXIF_ROTATE_90_CLOCKWISE_TO_VIEW
            on_its_side = render(person, scene, size).transpose(Image.Transpose.ROTATE_90)
            return person, scene, _jpeg(on_its_side, exif=exif)
        case "two_people":
            picture = Image.new("RGB", (2 * size, size))
            picture.paste(render(person, scene, size), (0, 0))
            picture.paste(render(_somebody_else(person, rng), scene, size), (size, 0))
        case "no_person":
            picture = draw_background(scene.background, size)
        case "not_an_image":
            return person, scene, b"this is not a picture, whatever its name says\n"
    return person, scene, _jpeg(picture)


def _somebody_else(person: Person, rng: random.Random) -> Person:
    while (other := Person.random(rng)).differences(person) < 3:
        pass
    return other


def _jpeg(picture: Image.Image, quality: int = 95, exif: Image.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0, exif=exif or Image.Exif())
    return buffer.getvalue()
