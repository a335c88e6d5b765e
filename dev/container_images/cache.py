"""Where the parts of quick images are kept between runs, and how they get there whole or not at all."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable
from pathlib import Path

from user_cache import user_cache


def cache_directory() -> Path:
    """Where everybody's parts are."""
    return user_cache("images")


def kept(directory: Path, name: str, make: Callable[[Path, Path], None]) -> Path:
    """A file of the cache; it is made if it isn't there, by one process while others wait.

    Args:
        directory: of the cache.
        name: says all that its content follows from.
        make: writes it to a path; is given an empty folder to work in, too.
    """
    final = directory / name
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            with tempfile.TemporaryDirectory(dir=directory, prefix="unfinished-") as room:
                unfinished, work = Path(room) / name, Path(room) / "work"
                work.mkdir()
                make(unfinished, work)
                unfinished.replace(final)
    return final
