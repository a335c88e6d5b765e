"""What a newcomer is to see, in one sentence: whether the pictures show the person of the photos.

The reader is the judge of `tiny_base`, which was trained on renders and never saw a generated picture.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from avatar_demo.settings import JUDGE
from synthetic_people import Person
from tiny_base.judge import Judge


def likeness_line(person: Person, by_base: Sequence[bytes], by_personal_model: Sequence[bytes]) -> str:
    """The judge's reading of both models' pictures (PNG), at least one each."""
    judge = Judge.load(JUDGE)
    wanted = person.attributes()

    def right(pictures: Sequence[bytes]) -> str:
        read = judge.read([Image.open(io.BytesIO(picture)) for picture in pictures])
        hits = sum(reading[name] == value for reading in read for name, value in wanted.items())
        return f"{hits} of {len(pictures) * len(wanted)}"

    return (
        f"The judge reads the person's attributes ({', '.join(wanted.values())}) in the pictures:"
        f" {right(by_base)} right by the base, {right(by_personal_model)} by the personal model"
    )
