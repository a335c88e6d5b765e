"""Waiting for what is to come, and giving up with a word about it."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message says what did not happen."""


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_SECONDS, every: float = 0.1
) -> None:
    """Wait until a condition holds.

    Raises:
        BenchmarkError: it did not within the seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(every)
