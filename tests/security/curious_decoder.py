"""A decoder process that a photo has taken over: it looks for whatever it can get, and says what it got.

The photo names what is tried, and maybe with what; the sentence of the verdict is what came of it. `die`, `hang`,
`drip` (a picture, byte by byte), `burn` (the processor's time) and `lie` (of an endless picture) are what they say; `break` and
`spend` answer, and leave a decoder that cannot open the next photo.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

from PIL import Image

from avatar_workers.training.preparation.decoder_frames import ANSWER, PICTURE
from avatar_workers.training.preparation.decoder_process import serve
from avatar_workers.training.preparation.decoding import PhotoRejected
from security.foreign_memory import memory_of

SECONDS_OF_WORK = 1.5
BROKEN: list[str] = []


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


def leave_no_processor_time() -> None:
    """Of this process's limit, less than a second."""
    last = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()), last))


def compute(seconds: float) -> None:
    """Use a processor."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def tried(attempt: str) -> object:
    """What an attempt came to: what was got, or the name of the error."""
    name, _, what = attempt.partition(": ")
    try:
        match name:
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
            case "memory":
                return memory_of(os.getppid(), int(what))
            case "signal":
                os.kill(os.getppid(), signal.SIGCONT)
            case "remove":
                Path(what).unlink()
            case "processor's time":
                return resource.getrlimit(resource.RLIMIT_CPU)[0] - time.process_time()
            case "lie":
                return os.write(1, ANSWER.pack(PICTURE, 1 << 31, 1 << 31))
            case "drip":
                os.write(1, ANSWER.pack(PICTURE, 100, 1))
                for _ in range(3 * 100):
                    os.write(1, b"x")
                    time.sleep(0.02)
            case "hang":
                time.sleep(3600)
            case "burn":
                leave_no_processor_time()
                compute(math.inf)
            case "spend":
                leave_no_processor_time()
            case "work":
                compute(SECONDS_OF_WORK)
            case "break":
                BROKEN.append(attempt)
            case "die":
                os._exit(1)
    except Exception as error:
        return type(error).__name__
    return None


def decode(content: bytes) -> Image.Image:
    """Try what the photo says."""
    if BROKEN:
        os._exit(1)
    raise PhotoRejected("Unreadable", json.dumps(tried(content.decode())))


if __name__ == "__main__":
    serve(decode)
