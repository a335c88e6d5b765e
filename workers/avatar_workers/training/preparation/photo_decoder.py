"""Have photos opened by a child process that holds nothing of ours.

One child serves the photos of a training one after another (starting one for each would take four times as long for photos of
a few hundred pixels) and goes with it, so photos of two tenants never meet in one. It gets a photo's bytes and gives back pixels
or a verdict. If it dies or does not answer in time, that is a verdict as well: a photo that breaks decoders must not look like a
failure of the platform that a retry would mend.

Only a child that had opened nothing before is believed to have ended of the photo that it was given: one that served others may
have used up its processor's time with them, or have been broken by them. Then the photo gets a child and limits of its own.

The child's environment is listed, never copied: a worker's own names roles, tokens and where credentials are asked for.
What the child cannot do by then stands in `decoder_limits`. Its answers are bounded here, for a child that was taken over
says what it likes.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO

import structlog
from PIL import Image

from avatar_workers.errors import WorkerFailure
from avatar_workers.training.preparation.decoder_frames import (
    ANSWER,
    MAX_SENTENCE_BYTES,
    PICTURE,
    READY,
    REJECTIONS,
    REQUEST,
)
from avatar_workers.training.preparation.decoder_limits import CPU_SECONDS
from avatar_workers.training.preparation.decoding import MAX_PIXELS, PhotoRejected

PROGRAM = "avatar_workers.training.preparation.decoder_process"
SECONDS_PER_PHOTO = 60.0
"""On the wall. More than the processor's time that a child has, so that a busy machine condemns no photo."""
START_SECONDS = 120.0
LOOK_SECONDS = 0.5
CHUNK_BYTES = 1 << 16
INHERITED = (
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "LANG",
    "LC_ALL",
)
"""What Python needs to be found, with its modules and libraries. Nobody keeps a secret there."""
log = structlog.stdlib.get_logger(__name__)


class _Gone(Exception):
    """The child has closed its pipes, or says what no decoder says."""


class _Late(Exception):
    """The child has not answered in time."""


class PhotoDecoder:
    """Opens photos, in a child process that is started with the first of them. A context manager: the child goes with it.

    Args:
        check: called while the child works; what it raises ends the wait, and the child.
        program: the module that the child runs.
        seconds: that one photo may take.
    """

    def __init__(
        self, check: Callable[[], None], *, program: str = PROGRAM, seconds: float = SECONDS_PER_PHOTO
    ) -> None:
        self._check = check
        self._program = program
        self._seconds = seconds
        self._child: _Child | None = None

    def __enter__(self) -> "PhotoDecoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dismiss()

    def decode(self, content: bytes) -> Image.Image:
        """Decode a JPEG, PNG or WebP.

        Returns:
            An upright RGB picture that carries no metadata.

        Raises:
            PhotoRejected: UnsupportedFormat, TooManyPixels or Unreadable.
            WorkerFailure: InternalError, if no child can be started at all; whatever `check` raises.
        """
        if self._child is not None:
            try:
                return self._opened_by(self._child, content)
            except (_Gone, _Late):
                log.debug("a photo is tried again by a decoder that has opened no other one")
        child = self._child = self._start()
        try:
            return self._opened_by(child, content)
        except _Late as error:
            raise PhotoRejected(
                "Unreadable", f"cannot be decoded within {self._seconds:g} s; shrink it, or save it anew"
            ) from error
        except _Gone as error:
            if child.end() == -signal.SIGXCPU:
                raise PhotoRejected(
                    "Unreadable",
                    f"takes more than {CPU_SECONDS} s of a processor to decode; shrink it, or save it anew",
                ) from error
            raise PhotoRejected(
                "Unreadable",
                "makes the decoder fail; open it in another program, save it anew and upload that",
            ) from error

    def _opened_by(self, child: "_Child", content: bytes) -> Image.Image:
        try:
            return child.decode(content, time.monotonic() + self._seconds)
        except PhotoRejected:
            raise
        except BaseException:
            self._dismiss()
            raise

    def _start(self) -> "_Child":
        child = _Child(self._program, self._check)
        try:
            child.await_ready(time.monotonic() + START_SECONDS)
        except BaseException as error:
            child.end()
            if isinstance(error, _Gone | _Late):
                raise WorkerFailure(
                    "InternalError", "the process that decodes photos cannot be started; its log says why"
                ) from error
            raise
        return child

    def _dismiss(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Child:
    """A decoder process and the two pipes to it, which never block longer than until the next look."""

    def __init__(self, program: str, check: Callable[[], None]) -> None:
        self._check = check
        self._process = subprocess.Popen(
            [sys.executable, "-m", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=decoder_environment(os.environ),
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        for pipe in (self._to, self._from):
            os.set_blocking(pipe.fileno(), False)

    def await_ready(self, deadline: float) -> None:
        """Wait until it can take photos."""
        if self._receive(len(READY), deadline) != READY:
            raise _Gone

    def decode(self, content: bytes, deadline: float) -> Image.Image:
        """Have one photo opened. Raises PhotoRejected, _Gone, _Late."""
        self._send(REQUEST.pack(len(content)), deadline)
        self._send(content, deadline)
        kind, width, height = ANSWER.unpack(self._receive(ANSWER.size, deadline))
        if kind == PICTURE and 0 < width * height <= MAX_PIXELS:
            return Image.frombytes("RGB", (width, height), self._receive(3 * width * height, deadline))
        if kind in REJECTIONS and width <= MAX_SENTENCE_BYTES:
            sentence = bytes(self._receive(width, deadline)).decode(errors="replace")
            raise PhotoRejected(REJECTIONS[kind], " ".join(sentence.split()))
        raise _Gone

    def end(self) -> int:
        """Kill it if it lives, and let go of what was its own. Returns how it ended, as subprocess says it."""
        self._process.kill()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        status = self._process.wait()
        log.debug("decoder ended", status=status)
        return status

    def _send(self, content: bytes, deadline: float) -> None:
        left = memoryview(content)
        while left:
            self._await(self._to, selectors.EVENT_WRITE, deadline)
            try:
                left = left[os.write(self._to.fileno(), left[:CHUNK_BYTES]) :]
            except BrokenPipeError as error:
                raise _Gone from error

    def _receive(self, length: int, deadline: float) -> bytearray:
        received = bytearray(length)
        left = memoryview(received)
        while left:
            self._await(self._from, selectors.EVENT_READ, deadline)
            count = os.readv(self._from.fileno(), [left])
            if count == 0:
                raise _Gone
            left = left[count:]
        return received

    def _await(self, pipe: IO[bytes], event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            # One that always has a little more to say is late as well.
            while time.monotonic() <= deadline:
                if selector.select(LOOK_SECONDS):
                    return
                self._check()
        raise _Late


def decoder_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a decoder may know of its worker's environment. Pure."""
    return {name: environment[name] for name in INHERITED if name in environment}
