"""Unpacking model archives without trusting them.

A tar file can name paths outside its directory, links to elsewhere, devices, and can be a few kilobytes that unpack to
terabytes. Python's `data` filter (PEP 706) refuses the first three; counts and sizes are limited here.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 64 << 30


class BadArchive(Exception):
    """The archive is not a tar.gz, is damaged, or asks for something it must not."""


def unpack(
    archive: Path, target: Path, max_bytes: int = MAX_UNPACKED_BYTES, max_members: int = MAX_MEMBERS
) -> int:
    """Unpack a gzipped tar archive into a directory, which is made.

    Returns:
        The unpacked size in bytes.

    Raises:
        BadArchive: saying what is wrong. What had been unpacked until then is left in the directory.
    """
    target.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for count, member in enumerate(tar, start=1):
                size += member.size
                if count > max_members:
                    raise BadArchive(f"more than {max_members} members")
                if size > max_bytes:
                    raise BadArchive(f"unpacks to more than {max_bytes} bytes")
                tar.extract(member, target, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadArchive(str(error) or type(error).__name__) from error
    return size
