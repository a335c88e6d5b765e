"""What a synthetic person is made of, and which people pre-training never sees.

A person is a combination of six identity attributes that stay the same in every photo; a photo adds attributes that
vary. Every value has a word of its own, and no two attributes share a word except that hair carries the only colour
words: a small text-conditioned model otherwise leaks colours between attributes ("red hair, green wall" -> red wall).
Values differ in silhouette or in large flat colour, so that they can be told apart at 64 x 64 pixels.

`held_out_people` are 100 combinations that pre-training never draws. Any two differ in at least three attributes, so
that ranking a picture among them tests likeness and survives one misread attribute.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields

SKINS = ("pale", "tan", "brown", "dark")
HAIR_COLOURS = ("black", "blond", "red", "white", "blue", "green", "pink")
HAIR_STYLES = ("short", "long", "curly", "mohawk")
EYEWEAR = ("bare", "glasses", "sunglasses", "eyepatch")
BEARDS = ("shaven", "moustache", "goatee", "beard")
HATS = ("hatless", "cap", "crown", "beanie", "tophat")

BACKGROUNDS = ("beach", "forest", "night", "sunset", "snow", "city", "meadow", "brick")
CLOTHES = ("suit", "stripes", "raincoat", "sweater", "hoodie")
EXPRESSIONS = ("smiling", "surprised")

IDENTITY_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "skin": SKINS,
    "hair_colour": HAIR_COLOURS,
    "hair_style": HAIR_STYLES,
    "eyewear": EYEWEAR,
    "beard": BEARDS,
    "hat": HATS,
}
PHOTO_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "background": BACKGROUNDS,
    "clothes": CLOTHES,
    "expression": EXPRESSIONS,
}
ATTRIBUTES: dict[str, tuple[str, ...]] = IDENTITY_ATTRIBUTES | PHOTO_ATTRIBUTES
"""Every attribute a caption can name and a judge can read, with its values."""

HELD_OUT_SEEDS = range(9_000, 9_100)
"""`Person.from_seed` of these gives the held-out people; of any other seed, a person that pre-training may see."""

_HELD_OUT_MIN_DIFFERENCES = 3


@dataclass(frozen=True)
class Person:
    """One identity. Raises ValueError for a value that is not in `IDENTITY_ATTRIBUTES` or a hat on a mohawk."""

    skin: str
    hair_colour: str
    hair_style: str
    eyewear: str
    beard: str
    hat: str

    def __post_init__(self) -> None:
        for name, allowed in IDENTITY_ATTRIBUTES.items():
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name} {value!r} is not one of {', '.join(allowed)}")
        if self.hair_style == "mohawk" and self.hat != "hatless":
            raise ValueError(
                f"a {self.hat} would hide the mohawk: give this person hat='hatless' or other hair"
            )

    @classmethod
    def from_seed(cls, seed: int) -> Person:
        """The person of this seed: a held-out one for `HELD_OUT_SEEDS`, else never a held-out combination."""
        if seed in HELD_OUT_SEEDS:
            return held_out_people()[seed - HELD_OUT_SEEDS.start]
        return cls.random(random.Random(f"person {seed}"))

    @classmethod
    def random(cls, rng: random.Random) -> Person:
        """Draws a person for pre-training: never a held-out combination."""
        while True:
            style = rng.choice(HAIR_STYLES)
            hat = "hatless" if style == "mohawk" or rng.random() < 0.4 else rng.choice(HATS[1:])
            person = cls(
                rng.choice(SKINS),
                rng.choice(HAIR_COLOURS),
                style,
                rng.choice(EYEWEAR),
                rng.choice(BEARDS),
                hat,
            )
            if not person.held_out:
                return person

    @property
    def held_out(self) -> bool:
        """Whether pre-training must never see this combination."""
        return self in _held_out_set()

    def attributes(self) -> dict[str, str]:
        """Attribute name -> value, in the order of `IDENTITY_ATTRIBUTES`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def differences(self, other: Person) -> int:
        """How many identity attributes differ."""
        mine, theirs = self.attributes(), other.attributes()
        return sum(mine[name] != theirs[name] for name in mine)


@dataclass(frozen=True)
class PhotoAttributes:
    """What varies from photo to photo of one person.

    `shift` is in pixels of a 64 x 64 picture, `tilt` in degrees, `zoom` and `light` are factors around 1.
    """

    background: str
    clothes: str
    expression: str
    shift: tuple[float, float] = (0.0, 0.0)
    tilt: float = 0.0
    zoom: float = 1.0
    light: float = 1.0

    def __post_init__(self) -> None:
        for name, allowed in PHOTO_ATTRIBUTES.items():
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name} {value!r} is not one of {', '.join(allowed)}")

    @classmethod
    def random(cls, rng: random.Random) -> PhotoAttributes:
        """Draws background, clothes, expression, and a small change of pose and light."""
        return cls(
            background=rng.choice(BACKGROUNDS),
            clothes=rng.choice(CLOTHES),
            expression=rng.choice(EXPRESSIONS),
            shift=(rng.uniform(-2, 2), rng.uniform(-1.5, 1.5)),
            tilt=rng.uniform(-5, 5),
            zoom=rng.uniform(0.95, 1.05),
            light=rng.uniform(0.93, 1.05),
        )

    def attributes(self) -> dict[str, str]:
        """The nameable ones: attribute name -> value, in the order of `PHOTO_ATTRIBUTES`."""
        return {name: getattr(self, name) for name in PHOTO_ATTRIBUTES}


def all_people() -> Iterator[Person]:
    """Every possible person, in a fixed order."""
    for values in itertools.product(*IDENTITY_ATTRIBUTES.values()):
        attributes = dict(zip(IDENTITY_ATTRIBUTES, values, strict=True))
        if attributes["hair_style"] != "mohawk" or attributes["hat"] == "hatless":
            yield Person(**attributes)


@functools.cache
def held_out_people() -> tuple[Person, ...]:
    """The 100 people of `HELD_OUT_SEEDS`; any two differ in at least three attributes."""
    candidates = list(all_people())
    random.Random("held-out people").shuffle(candidates)
    chosen: list[Person] = []
    for person in candidates:
        if all(person.differences(other) >= _HELD_OUT_MIN_DIFFERENCES for other in chosen):
            chosen.append(person)
        if len(chosen) == len(HELD_OUT_SEEDS):
            return tuple(chosen)
    raise AssertionError(f"only {len(chosen)} held-out people are far enough apart")


@functools.cache
def _held_out_set() -> frozenset[Person]:
    return frozenset(held_out_people())
