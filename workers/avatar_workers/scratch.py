"""Directories that vanish with the process that made them, even one that was killed.

Whoever makes one holds a lock on it for as long as it lives; the kernel drops the lock with the process. Whoever comes
next removes every directory whose lock is free. No age is guessed and no process id compared, so two workers may share
a directory, and a killed one leaves nothing behind for longer than until the next start.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "scratch-"
LOCK_NAME = ".lock"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """A new empty directory below `parent`, removed at the end of the `with`, or by the next one after a kill."""
    parent.mkdir(parents=True, exist_ok=True)
    discard_abandoned(parent)
    outer = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        with (outer / LOCK_NAME).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            inner = outer / "content"
            inner.mkdir()
            yield inner
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def discard_abandoned(parent: Path) -> None:
    """Remove scratch directories whose makers are gone."""
    for leftover in parent.glob(f"{PREFIX}*"):
        try:
            with (leftover / LOCK_NAME).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
        except (FileNotFoundError, BlockingIOError):
            # Just being made or just being removed, or in use.
            continue
