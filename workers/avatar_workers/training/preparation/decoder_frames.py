"""What the worker and its decoder process say to each other, over two pipes.

    worker:  length, photo
    decoder: READY, once; then for each photo: kind, width, height, pixels (RGB, three bytes each)
                                           or: kind, length, 0, sentence

Plain structures instead of anything that builds objects out of bytes: the decoder has read a stranger's photo, so its
answer is a stranger's as well. Only the standard library is imported, for the decoder's sake.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from avatar_api.documents.photos import PhotoRejection

READY: Final = b"R"
REQUEST: Final = struct.Struct(">Q")
ANSWER: Final = struct.Struct(">BII")
PICTURE: Final = 0
REJECTIONS: Final[dict[int, PhotoRejection]] = {1: "Unreadable", 2: "UnsupportedFormat", 3: "TooManyPixels"}
"""What a decoder may say against a photo."""
MAX_SENTENCE_BYTES: Final = 400
