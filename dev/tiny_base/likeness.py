"""One person, how she is trained in tests, and how like her pictures must be: what tells a trainer from a broken one.

The base has never seen her, so attributes of hers that the judge reads in pictures of "sks person" come from the
training. A training that learns nothing, a personal model that is not drawn with, and somebody else's photos all give
pictures of a stranger, who shares an attribute here and there by chance. `benchmarks/broken_trainers.py` breaks the
workers in these three ways and prints each score beside the threshold; the end-to-end test holds the real ones to it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from PIL import Image

from avatar_api.runtime_limits import InferenceDefaults
from avatar_api.training_options import PriorPreservation, TrainingOptions
from synthetic_people import IDENTITY_ATTRIBUTES, Person, caption
from tiny_base.judge import Judge

PERSON = Person.from_seed(9015)
PLACES = ("beach", "night", "snow")
PICTURES_A_PLACE = 2
FIRST_SEED = 7

TRAINING = TrainingOptions(
    steps=200,
    batch_size=4,
    learning_rate="0.003",
    rank=8,
    resolution=64,
    text_encoder="Train",
    prior_preservation=PriorPreservation(num_class_images=0),
    seed=0,
)
"""Enough for a likeness and no more. Without class images: they keep "a person" anybody, which is not asked here."""

DRAWING = InferenceDefaults(steps=25, guidance="4.0", width=64, height=64, scheduler="DDIM")

LIKE_HER = 0.65
"""The least share of identity attributes that must be read right, over all pictures."""

AS_PROMPTED = 0.5
"""The least share of pictures at the place that the prompt names; one in eight is chance."""


def prompts() -> list[str]:
    """One for each of `PLACES`."""
    return [caption({"background": place}, "sks person") for place in PLACES]


def likeness(judge: Judge, pictures: Sequence[Image.Image], person: Person = PERSON) -> float:
    """Share of the person's identity attributes that the judge reads in the pictures."""
    wanted = person.attributes()
    return statistics.fmean(
        reading[name] == wanted[name] for reading in judge.read(pictures) for name in IDENTITY_ATTRIBUTES
    )


def at_place(judge: Judge, pictures: Sequence[Image.Image], places: Sequence[str]) -> float:
    """Share of pictures that show the place that stands for them in `places`."""
    read = judge.read(pictures)
    return statistics.fmean(
        reading["background"] == place for reading, place in zip(read, places, strict=True)
    )
