"""The figures of `make bench-quality` as tables, and what each of them must be. Pure."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from synthetic_people import ATTRIBUTES, IDENTITY_ATTRIBUTES
from tiny_base.dreambooth_figures import Leakage, Likeness, PersonFigures
from tiny_base.measure import PromptFigures, ReadingFigures, RoundTripFigures

JUDGE_ATTRIBUTE, JUDGE_RANK_ONE = 0.97, 0.99
ROUND_TRIP_DECIBELS, ROUND_TRIP_KEPT = 30.0, 0.95
PROMPT_MEAN, PROMPT_BACKGROUND = 0.80, 0.90
RANK_ONE, IDENTITY, BACKGROUND_LOSS = 0.70, 0.75, 0.10
TRAINING_SECONDS, PICTURE_SECONDS = 90.0, 1.0

_MEETS: Mapping[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Line:
    """One measure beside what it must be.

    Attributes:
        measure: what, in words.
        value: the figure; NaN if it cannot be told.
        relation: how it must stand to `threshold`: ">=" or "<=".
        threshold: the figure that it is held against.
        digits: decimals shown.
    """

    measure: str
    value: float
    relation: str
    threshold: float
    digits: int = 3

    @property
    def holds(self) -> bool:
        """Whether it is as it must be. A figure that cannot be told does not hold."""
        return _MEETS[self.relation](self.value, self.threshold)

    def cells(self) -> tuple[str, str, str, str]:
        """For a table: measure, value, threshold, verdict."""
        return (
            self.measure,
            f"{self.value:.{self.digits}f}",
            f"{self.relation} {self.threshold:.{self.digits}f}",
            "pass" if self.holds else "FAIL",
        )


def judge_lines(figures: ReadingFigures) -> Iterator[Line]:
    """What must hold of the judge."""
    worst = _worst(figures.by_attribute)
    yield Line(
        f"judge: worst attribute ({_words(worst)})", figures.by_attribute[worst], ">=", JUDGE_ATTRIBUTE
    )
    yield Line("judge: right person at rank 1 of 100", figures.rank_one, ">=", JUDGE_RANK_ONE)


def round_trip_lines(figures: RoundTripFigures) -> Iterator[Line]:
    """What must hold of the VAE."""
    kept = figures.reading.by_attribute
    worst = _worst(kept)
    yield Line("VAE round trip: dB", figures.decibels, ">=", ROUND_TRIP_DECIBELS, digits=2)
    yield Line(
        f"VAE round trip: attributes kept (worst: {_words(worst)} {_share(kept[worst])})",
        statistics.fmean(kept.values()),
        ">=",
        ROUND_TRIP_KEPT,
    )


def prompt_lines(figures: PromptFigures) -> Iterator[Line]:
    """What must hold of the base's prompt following."""
    mean = statistics.fmean(figures.followed.values())
    yield Line("prompts followed: mean over attributes", mean, ">=", PROMPT_MEAN)
    yield Line("prompts followed: background", figures.followed["background"], ">=", PROMPT_BACKGROUND)


def dreambooth_lines(people: Sequence[PersonFigures]) -> Iterator[Line]:
    """What must hold of personal models, over at least one person."""
    base, personal = [person.base for person in people], [person.personal for person in people]
    leakage = Leakage.of(people)
    slowest = max(person.training_seconds for person in people)
    picture = statistics.fmean(person.by_personal_model.seconds_per_picture for person in people)
    yield Line("personal: right person at rank 1 of 100", _mean(personal, _rank_one), ">=", RANK_ONE)
    yield Line("personal: identity attributes", _mean(personal, _identity), ">=", IDENTITY)
    yield Line(
        f"personal: background, base less {BACKGROUND_LOSS:.2f}",
        _mean(personal, _background),
        ">=",
        _mean(base, _background) - BACKGROUND_LOSS,
    )
    yield Line(
        f"personal: subject's mean rank in “a photo of a person”, base less noise ({leakage.noise:.1f})",
        leakage.personal,
        ">=",
        leakage.base - leakage.noise,
        digits=1,
    )
    yield Line("training: slowest person, seconds", slowest, "<=", TRAINING_SECONDS, digits=1)
    yield Line("drawing: seconds a picture, batch of 8", picture, "<=", PICTURE_SECONDS, digits=2)


def verdict_table(lines: Sequence[Line]) -> str:
    """Every line beside its threshold."""
    return _table(("measure", "value", "must be", ""), [line.cells() for line in lines])


def attribute_table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """Shares by attribute, a column for each measure; a dash where a measure says nothing of an attribute."""
    rows = [(_words(name), *(_share(column.get(name)) for column in columns.values())) for name in ATTRIBUTES]
    means = [statistics.fmean(column[name] for name in IDENTITY_ATTRIBUTES) for column in columns.values()]
    rows.append(("identity, mean", *(_share(mean) for mean in means)))
    everything = [statistics.fmean(column.values()) for column in columns.values()]
    rows.append(("all that is read, mean", *(_share(mean) for mean in everything)))
    return _table(("attribute", *columns), rows)


def dreambooth_table(people: Sequence[PersonFigures]) -> str:
    """The base without training and the personal models, in the same columns."""
    rows = [
        (
            name,
            _share(_mean(figures, _rank_one)),
            f"{_mean(figures, lambda likeness: statistics.fmean(likeness.ranks)):.1f}",
            _share(_mean(figures, _identity)),
            _share(_mean(figures, _background)),
            f"{_mean(figures, lambda likeness: statistics.fmean(likeness.class_ranks)):.1f}",
            _share(
                _mean(figures, lambda likeness: statistics.fmean(rank == 1 for rank in likeness.class_ranks))
            ),
        )
        for name, figures in (
            ("base, untrained", [person.base for person in people]),
            ("personal model", [person.personal for person in people]),
        )
    ]
    heading = (
        f"{len(people)} people",
        "rank 1",
        "mean rank",
        "identity attributes",
        "background",
        "subject's mean rank in “a photo of a person”",
        "rank 1 in it",
    )
    return _table(heading, rows)


def mean_right(figures: Sequence[Likeness]) -> dict[str, float]:
    """Share of right readings by attribute, mean over people."""
    return {name: statistics.fmean(each.right[name] for each in figures) for name in figures[0].right}


def _mean(figures: Sequence[Likeness], value: Callable[[Likeness], float]) -> float:
    return statistics.fmean(value(each) for each in figures)


def _rank_one(likeness: Likeness) -> float:
    return likeness.rank_one


def _identity(likeness: Likeness) -> float:
    return likeness.identity


def _background(likeness: Likeness) -> float:
    return likeness.right["background"]


def _worst(shares: Mapping[str, float]) -> str:
    return min(shares, key=lambda name: shares[name])


def _words(attribute: str) -> str:
    return attribute.replace("_", " ")


def _share(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown whose columns are aligned, so that it reads well in a terminal and in a model card."""
    widths = [max(len(row[index]) for row in (heading, *rows)) for index in range(len(heading))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (heading, *rows)
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
