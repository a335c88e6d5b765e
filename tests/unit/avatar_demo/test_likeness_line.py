"""The sentence that says whether the pictures show the person."""

import io
import random

from avatar_demo.likeness_line import likeness_line
from synthetic_people import Person, PhotoAttributes, held_out_people, render


def _png(person: Person) -> bytes:
    buffer = io.BytesIO()
    render(person, PhotoAttributes.random(random.Random(1)), 64).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_person_is_counted_right_and_a_stranger_wrong() -> None:
    person = Person.from_seed(9000)
    stranger = next(other for other in held_out_people() if other.differences(person) == 6)
    line = likeness_line(person, [_png(stranger)] * 2, [_png(person)] * 3)
    assert line.endswith("0 of 12 right by the base, 18 of 18 by the personal model")
