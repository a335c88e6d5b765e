"""What photo preparation says of each photo: a verdict, told to the user word by word."""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.documents.bounds import Key, Sentence
from avatar_api.schema_base import ApiModel

MAX_PHOTOS = 100

PhotoRejection = Literal[
    "Unreadable",
    "UnsupportedFormat",
    "TooManyBytes",
    "TooManyPixels",
    "TooSmall",
    "Blurred",
    "Duplicate",
    "NoFace",
    "SeveralFaces",
    "NotFound",
]


class PhotoVerdict(ApiModel):
    """One photo's fate. `rejection` is absent for a photo that is used."""

    uri: Key
    rejection: PhotoRejection | None = None
    message: Sentence = ""


PhotoVerdicts = Annotated[list[PhotoVerdict], Field(max_length=MAX_PHOTOS)]
"""As many as there may be photos: a status holds no more, and the API server refuses it whoever believed them."""
