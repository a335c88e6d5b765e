"""Files that are either as they were or as they should be, never something between, in directories for one pair of eyes."""

from __future__ import annotations

from pathlib import Path


def make_private(directory: Path) -> None:
    """Make a directory that nobody but its owner may look into; one that is there already becomes such a one.

    What buckets and containers hold is personal, and a machine may have other users.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, and make its directory when it is missing.

    Nothing is flushed to the disk itself: what is written survives the end of this process however it comes, not a power
    failure.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
