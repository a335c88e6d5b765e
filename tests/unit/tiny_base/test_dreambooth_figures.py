"""What the quality benchmark concludes from what the judge reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.people_sheet import people_sheet
from benchmarks.quality_table import Line, attribute_table, dreambooth_lines, dreambooth_table, verdict_table
from PIL import Image

from synthetic_people import HELD_OUT_SEEDS, IDENTITY_ATTRIBUTES, Person
from tiny_base.dreambooth_figures import PLACES, Drawn, Leakage, Likeness, PersonFigures

PICTURE = Image.new("RGB", (64, 64), (10, 200, 10))


def person_figures(
    seed: int,
    *,
    rank: int = 1,
    background: float = 1.0,
    class_ranks: Sequence[int] = (50, 52),
    seconds: float = 40.0,
) -> PersonFigures:
    drawn = Drawn([PICTURE] * len(PLACES), [PICTURE], 0.5)
    identity = dict.fromkeys(IDENTITY_ATTRIBUTES, 0.9)
    return PersonFigures(
        person=Person.from_seed(seed),
        photos=[PICTURE] * 12,
        by_base=drawn,
        by_personal_model=drawn,
        base=Likeness([40], identity | {"background": 1.0}, [50, 52]),
        personal=Likeness([rank], identity | {"background": background}, class_ranks),
        training_seconds=seconds,
    )


def failed(people: Sequence[PersonFigures]) -> list[str]:
    return [
        line.measure.split(":")[1].split(",")[0].strip()
        for line in dreambooth_lines(people)
        if not line.holds
    ]


def two(**figures: float) -> list[PersonFigures]:
    return [person_figures(seed, **figures) for seed in HELD_OUT_SEEDS[:2]]  # type: ignore[arg-type]


def test_good_figures_pass() -> None:
    assert failed(two()) == []


def test_a_stranger_in_every_picture_fails() -> None:
    assert failed(two(rank=7)) == ["right person at rank 1 of 100"]


def test_a_background_more_than_ten_points_below_the_base_fails() -> None:
    assert failed(two(background=0.91)) == []
    assert failed(two(background=0.89)) == ["background"]


def test_one_slow_training_fails() -> None:
    slow = person_figures(HELD_OUT_SEEDS[2], seconds=91)
    assert failed([*two(), slow]) == ["slowest person"]


def test_a_class_that_became_the_subject_fails_and_noise_does_not() -> None:
    leaking = [person_figures(seed, class_ranks=(3, 5)) for seed in HELD_OUT_SEEDS[:3]]
    assert len(failed(leaking)) == 1
    wavering = [
        person_figures(seed, class_ranks=ranks)
        for seed, ranks in zip(HELD_OUT_SEEDS[:3], ((40, 44), (58, 60), (48, 50)), strict=True)
    ]
    assert failed(wavering) == []


def test_leakage_of_one_person_has_no_noise_and_passes_nothing() -> None:
    assert math.isnan(Leakage.of([person_figures(9000)]).noise)
    assert len(failed([person_figures(9000)])) == 1


def test_a_figure_that_is_no_number_does_not_hold() -> None:
    assert not Line("x", math.nan, ">=", 0.0).holds
    assert not Line("x", math.nan, "<=", 0.0).holds


def test_tables_show_verdicts_and_leave_out_what_was_not_read() -> None:
    table = verdict_table([Line("likeness", 0.5, ">=", 0.75)])
    assert "0.500" in table
    assert "FAIL" in table
    assert "0.900" in attribute_table({"personal": dict.fromkeys(IDENTITY_ATTRIBUTES, 0.9)})
    assert "base, untrained" in dreambooth_table(two())


def test_the_contact_sheet_grows_by_a_row_a_person() -> None:
    one, both = people_sheet(two()[:1], 9000), people_sheet(two(), 9000)
    assert one.width == both.width
    assert both.height > one.height
    assert (10, 200, 10) in {colour for _, colour in both.getcolors(1 << 20) or []}
