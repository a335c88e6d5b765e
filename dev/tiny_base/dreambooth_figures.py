"""Does a personal model show its person, where the prompt says, and has "a person" stayed anybody?

For each held-out person: twelve photos, a training by the project's own worker, then the same prompts drawn by the base
and by the personal model from the same noise. The judge says of each picture at which rank the person stands among the
100 held-out people, which attributes are right, and whether the place is.

Leakage is measured on "a photo of a person", drawn by both from the same noise: a personal model that turned everybody
into its subject would lift the subject's rank there. People differ much in how likely the base is to draw somebody
like them, so the two ranks are compared person by person (`Leakage`).
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from avatar_api.documents.training import TrainingSettings
from avatar_workers.training.prompts import class_prompt
from synthetic_people import (
    IDENTITY_ATTRIBUTES,
    PHOTO_ATTRIBUTES,
    Person,
    caption,
    held_out_people,
    photo_set,
)
from tiny_base.in_process_workers import SUBJECT, InProcessWorkers, OnProgress, PersonalModel
from tiny_base.judge import Judge
from tiny_base.measure import accuracy

PHOTOS = 12
PLACES = PHOTO_ATTRIBUTES["background"]
_CLASS_PICTURES = 8
_SUBJECT_SEED, _CLASS_SEED = 3100, 3200


@dataclass(frozen=True)
class Drawn:
    """What one model drew: the subject once at each of `PLACES`, and the class."""

    of_subject: Sequence[Image.Image]
    of_class: Sequence[Image.Image]
    seconds_per_picture: float


@dataclass(frozen=True)
class Likeness:
    """What the judge says of one model's pictures, for one person.

    Attributes:
        ranks: the person's rank among the held-out people in each picture of the subject, 1 = likeliest.
        right: share of pictures of the subject in which an attribute is right, by attribute: identity and background.
        class_ranks: the person's rank in each picture of the class.
    """

    ranks: Sequence[int]
    right: Mapping[str, float]
    class_ranks: Sequence[int]

    @property
    def rank_one(self) -> float:
        """Share of pictures in which the person is at rank 1."""
        return statistics.fmean(rank == 1 for rank in self.ranks)

    @property
    def identity(self) -> float:
        """Share of identity attributes that are right."""
        return statistics.fmean(self.right[name] for name in IDENTITY_ATTRIBUTES)


@dataclass(frozen=True)
class PersonFigures:
    """One person: photos, what both models drew, and what the judge says of it."""

    person: Person
    photos: Sequence[Image.Image]
    by_base: Drawn
    by_personal_model: Drawn
    base: Likeness
    personal: Likeness
    training_seconds: float


@dataclass(frozen=True)
class Leakage:
    """The subject's mean rank in pictures of the class, by the base and by the personal models.

    Attributes:
        noise: two standard errors of the mean difference over people; NaN for fewer than two people.
    """

    base: float
    personal: float
    noise: float

    @classmethod
    def of(cls, people: Sequence[PersonFigures]) -> Leakage:
        """Over at least one person."""
        base = [statistics.fmean(person.base.class_ranks) for person in people]
        personal = [statistics.fmean(person.personal.class_ranks) for person in people]
        differences = [after - before for before, after in zip(base, personal, strict=True)]
        noise = 2 * statistics.stdev(differences) / math.sqrt(len(people)) if len(people) > 1 else math.nan
        return cls(statistics.fmean(base), statistics.fmean(personal), noise)


def subject_prompts() -> list[str]:
    """ "a photo of sks person, at the beach" and so on, one for each of `PLACES`."""
    subject = f"{SUBJECT.token} {SUBJECT.class_noun}"
    return [caption({"background": place}, subject) for place in PLACES]


def draw_measured(workers: InProcessWorkers, model: PersonalModel | None) -> Drawn:
    """Draw everything that is measured of one model; None is the base."""
    started = time.monotonic()
    of_subject = workers.draw(model, subject_prompts(), _SUBJECT_SEED)
    seconds = time.monotonic() - started
    of_class = workers.draw(model, [class_prompt(SUBJECT)] * _CLASS_PICTURES, _CLASS_SEED)
    return Drawn(of_subject, of_class, seconds / len(of_subject))


def measure_person(
    workers: InProcessWorkers,
    judge: Judge,
    person: Person,
    settings: TrainingSettings,
    by_base: Drawn,
    on_progress: OnProgress = lambda *_: None,
) -> PersonFigures:
    """Train one person and measure her.

    Args:
        workers: train and draw.
        judge: reads the pictures.
        person: one of the held-out people.
        settings: hyperparameters.
        by_base: what `draw_measured` gave for the base; the same for everybody.
        on_progress: told of each step of the training.
    """
    photos = photo_set(person, PHOTOS)
    model = workers.train(photos, settings, on_progress)
    by_personal_model = draw_measured(workers, model)
    workers.unload(model)
    return PersonFigures(
        person=person,
        photos=[photo.image.convert("RGB") for photo in photos],
        by_base=by_base,
        by_personal_model=by_personal_model,
        base=_likeness(judge, person, by_base),
        personal=_likeness(judge, person, by_personal_model),
        training_seconds=model.training_seconds,
    )


def _likeness(judge: Judge, person: Person, drawn: Drawn) -> Likeness:
    people = held_out_people()
    expected = [person.attributes() | {"background": place} for place in PLACES]
    return Likeness(
        ranks=judge.ranks(drawn.of_subject, person, people).tolist(),
        right=accuracy(judge.read(drawn.of_subject), expected),
        class_ranks=judge.ranks(drawn.of_class, person, people).tolist(),
    )
