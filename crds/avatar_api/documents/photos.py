"""What photo preparation says of each photo: a verdict, told to the user word by word."""

from typing import Literal

from avatar_api.schema_base import ApiModel

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

    uri: str
    rejection: PhotoRejection | None = None
    message: str = ""
