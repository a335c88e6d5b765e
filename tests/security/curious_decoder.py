"""A decoder process that a photo has taken over: it looks for whatever it can get, and says what it got.

The photo names what is tried; the sentence of the verdict is what came of it. `die`, `hang`, `drip` (a picture,
byte by byte) and `lie` (of an endless picture) are what they say.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time

from PIL import Image

from avatar_workers.training.preparation.decoder_frames import ANSWER, PICTURE
from avatar_workers.training.preparation.decoder_process import serve
from avatar_workers.training.preparation.decoding import PhotoRejected


def open_files() -> list[int]:
    """Descriptors that are open here."""
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def tried(attempt: str) -> object:
    """What an attempt came to: what was got, or the name of the error."""
    try:
        match attempt:
            case "environment":
                return dict(os.environ)
            case "open files":
                return open_files()
            case "parent":
                with open(f"/proc/{os.getppid()}/environ", "rb") as file:  # noqa: PTH123
                    return len(file.read())
            case "connect":
                with socket.socket():
                    return "a socket"
            case "start":
                return subprocess.run(["true"], check=True).returncode
            case "lie":
                return os.write(1, ANSWER.pack(PICTURE, 1 << 31, 1 << 31))
            case "drip":
                os.write(1, ANSWER.pack(PICTURE, 100, 1))
                for _ in range(3 * 100):
                    os.write(1, b"x")
                    time.sleep(0.02)
            case "hang":
                time.sleep(3600)
            case "die":
                os._exit(1)
    except Exception as error:
        return type(error).__name__
    return None


def decode(content: bytes) -> Image.Image:
    """Try what the photo says."""
    raise PhotoRejected("Unreadable", json.dumps(tried(content.decode())))


if __name__ == "__main__":
    serve(decode)
