"""Words for pictures: full captions, the short ones that pre-training mixes in, and the phrases prompts are made of.

Every value is named by one word of its own (see `attributes`), inside a phrase that reads like a prompt somebody would
write. A caption names a random subset: the model must learn what each phrase changes, and draw the rest as it likes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from synthetic_people.attributes import ATTRIBUTES

_PHRASES: dict[str, dict[str, str]] = {
    "skin": {value: f"{value} skin" for value in ATTRIBUTES["skin"]},
    "hair_colour": {value: f"{value} hair" for value in ATTRIBUTES["hair_colour"]},
    "hair_style": {value: f"{value} hair" for value in ATTRIBUTES["hair_style"]} | {"mohawk": "a mohawk"},
    "eyewear": {
        "bare": "bare eyes",
        "glasses": "glasses",
        "sunglasses": "sunglasses",
        "eyepatch": "an eyepatch",
    },
    "beard": {"shaven": "shaven", "moustache": "a moustache", "goatee": "a goatee", "beard": "a beard"},
    "hat": {
        "hatless": "hatless",
        "cap": "a cap",
        "crown": "a crown",
        "beanie": "a beanie",
        "tophat": "a tophat",
    },
    "background": {
        "beach": "at the beach",
        "forest": "in the forest",
        "night": "at night",
        "sunset": "at sunset",
        "snow": "in the snow",
        "city": "in the city",
        "meadow": "in a meadow",
        "brick": "by a brick wall",
    },
    "clothes": {
        "suit": "wearing a suit",
        "stripes": "wearing stripes",
        "raincoat": "wearing a raincoat",
        "sweater": "wearing a sweater",
        "hoodie": "wearing a hoodie",
    },
    "expression": {"smiling": "smiling", "surprised": "surprised"},
}


def phrase(attribute: str, value: str) -> str:
    """The words that name one value, e.g. ("background", "beach") -> "at the beach". KeyError if there is none."""
    return _PHRASES[attribute][value]


def caption(
    attributes: Mapping[str, str], subject: str = "person", order: Sequence[str] | None = None
) -> str:
    """ "a photo of a person, ..." naming these attributes.

    Args:
        attributes: Attribute name -> value; colour and style of hair join into one phrase when both are there.
        subject: Class noun with its token, if any ("sks person" drops the article, as DreamBooth prompts do).
        order: Order of the phrases; that of `attributes` by default.
    """
    names = list(order or attributes)
    phrases = []
    for name in names:
        if name == "hair_style" and "hair_colour" in attributes:
            continue
        if name == "hair_colour" and "hair_style" in attributes:
            colour, style = attributes["hair_colour"], attributes["hair_style"]
            phrases.append(f"a {colour} mohawk" if style == "mohawk" else f"{style} {colour} hair")
            continue
        phrases.append(phrase(name, attributes[name]))
    head = f"a photo of a {subject}" if " " not in subject else f"a photo of {subject}"
    return ", ".join([head, *phrases])


def random_caption(
    attributes: Mapping[str, str], rng: random.Random, named: int
) -> tuple[str, tuple[str, ...]]:
    """A caption that names `named` attributes drawn at random, in random order, and which ones it names."""
    names = tuple(rng.sample(list(attributes), min(named, len(attributes))))
    return caption({name: attributes[name] for name in names}), names


def vocabulary() -> tuple[str, ...]:
    """Every word that captions use, sorted."""
    words = {"a", "photo", "of", "person", "an"}
    for phrases in _PHRASES.values():
        for text in phrases.values():
            words.update(text.split())
    return tuple(sorted(words))
