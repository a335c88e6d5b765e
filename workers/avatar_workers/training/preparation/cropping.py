"""Choose the square of a photo that shows the person.

The square is as large as the photo allows, and moved so that the face is in it: a centre crop of a tall photo often
cuts the head off. Only where the face would be small in that square is it drawn closer. Where no face is found the
square is the middle of the photo; the detector (OpenCV's frontal Haar cascade, Viola and Jones 2001) misses profiles,
hats and sunglasses too often to reject a photo on its word.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

DETECTION_SIDE = 640
MIN_FACE_SHARE = 0.25
CLOSE_UP_FACE_SHARE = 0.4


@dataclass(frozen=True)
class Square:
    """A square of a picture, in its pixels."""

    left: int
    top: int
    side: int


@dataclass(frozen=True)
class Face:
    """Where a face is, in pixels of the whole picture."""

    centre_x: float
    centre_y: float
    side: float


def find_face(image: Image.Image) -> Face | None:
    """The largest frontal face of a picture, or None."""
    scale = min(1.0, DETECTION_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = cv2.equalizeHist(np.asarray(image.convert("L").resize(size, Image.Resampling.BILINEAR)))
    smallest = max(24, min(size) // 10)
    faces = _detector().detectMultiScale(grey, scaleFactor=1.1, minNeighbors=6, minSize=(smallest, smallest))
    if len(faces) == 0:
        return None
    left, top, width, height = max(faces, key=lambda face: int(face[2]) * int(face[3]))
    return Face((left + width / 2) / scale, (top + height / 2) / scale, max(width, height) / scale)


def choose_square(width: int, height: int, face: Face | None, *, min_side: int) -> Square:
    """The square to train on.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        face: where the face is, if one was found.
        min_side: the square is no smaller, so that nothing is scaled up; the picture is no smaller either.
    """
    side = min(width, height)
    if face is None:
        return Square((width - side) // 2, (height - side) // 2, side)
    if face.side < MIN_FACE_SHARE * side:
        side = max(min_side, round(face.side / CLOSE_UP_FACE_SHARE))
    left = round(face.centre_x - side / 2)
    top = round(face.centre_y - side / 2)
    return Square(_clamp(left, width - side), _clamp(top, height - side), side)


def cut(image: Image.Image, square: Square, resolution: int) -> Image.Image:
    """The square of the picture, scaled to `resolution` × `resolution`."""
    box = (square.left, square.top, square.left + square.side, square.top + square.side)
    return image.resize((resolution, resolution), Image.Resampling.LANCZOS, box=box)


def _clamp(value: int, highest: int) -> int:
    return max(0, min(value, highest))


@cache
def _detector() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )
