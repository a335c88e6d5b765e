"""Synthetic people: drawn faces with known attributes, in place of photos of real ones.

Why: likeness and prompt following can be measured only if it is known who is in a picture, where, and what the caption
promised; and no photo of a real person belongs in a repository. A person is a combination of six identity attributes
(skin, hair colour and style, eyewear, beard, hat); a photo adds background, clothes, expression, pose and light.

Data flows `attributes` (who, what) -> `drawing` on `scenery` (pixels) and `captions` (words) -> `photos` (files, with
flaws on request). Everything is seeded: same arguments, same bytes. The trade-off taken is few, bold attributes over
realism, because a small model on two CPU cores has to learn them.
"""

from synthetic_people.attributes import (
    ATTRIBUTES,
    HELD_OUT_SEEDS,
    IDENTITY_ATTRIBUTES,
    PHOTO_ATTRIBUTES,
    Person,
    PhotoAttributes,
    held_out_people,
)
from synthetic_people.captions import caption, phrase, random_caption, vocabulary
from synthetic_people.drawing import render
from synthetic_people.photos import FLAWS, Flaw, Photo, photo_set

__all__ = [
    "ATTRIBUTES",
    "FLAWS",
    "HELD_OUT_SEEDS",
    "IDENTITY_ATTRIBUTES",
    "PHOTO_ATTRIBUTES",
    "Flaw",
    "Person",
    "Photo",
    "PhotoAttributes",
    "caption",
    "held_out_people",
    "photo_set",
    "phrase",
    "random_caption",
    "render",
    "vocabulary",
]
