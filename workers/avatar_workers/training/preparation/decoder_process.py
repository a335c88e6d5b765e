"""`python -m avatar_workers.training.preparation.decoder_process`: opens photos, and may do nothing else.

Photos in on standard input, pixels or a verdict out on standard output (`decoder_frames`); ends when its input does.
Started by `photo_decoder`. What Pillow would import when it meets the first photo of a kind is imported before the
process gives everything up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import BinaryIO

from PIL import Image

from avatar_workers.training.preparation.decoder_frames import (
    ANSWER,
    MAX_SENTENCE_BYTES,
    PICTURE,
    READY,
    REJECTIONS,
    REQUEST,
)
from avatar_workers.training.preparation.decoder_limits import give_up_everything
from avatar_workers.training.preparation.decoding import PhotoRejected, decode_photo


def serve(decode: Callable[[bytes], Image.Image]) -> None:
    """Answer until there is nothing more to read.

    Args:
        decode: opens one photo. Whatever it raises beside PhotoRejected ends the process.
    """
    photos, answers = sys.stdin.buffer, sys.stdout.buffer
    Image.init()
    give_up_everything()
    answers.write(READY)
    answers.flush()
    while (content := _read_photo(photos)) is not None:
        try:
            picture = decode(content)
        except PhotoRejected as rejected:
            _reject(answers, rejected)
        else:
            answers.write(ANSWER.pack(PICTURE, *picture.size))
            answers.write(picture.tobytes())
        answers.flush()


def _read_photo(photos: BinaryIO) -> bytes | None:
    head = photos.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return None
    (length,) = REQUEST.unpack(head)
    content = photos.read(length)
    return content if len(content) == length else None


def _reject(answers: BinaryIO, rejected: PhotoRejected) -> None:
    kind = next(number for number, rejection in REJECTIONS.items() if rejection == rejected.rejection)
    sentence = str(rejected).encode()[:MAX_SENTENCE_BYTES]
    answers.write(ANSWER.pack(kind, len(sentence), 0))
    answers.write(sentence)


if __name__ == "__main__":
    serve(decode_photo)
