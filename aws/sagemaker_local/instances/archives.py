"""Unpacking model archives without trusting them.

A tar file can name paths outside its directory, links to elsewhere, devices, and can be a few kilobytes that unpack to
terabytes. Python's `data` filter (PEP 706) would refuse the first three, but Debian 12's Python 3.11.2 does not have it. So files,
folders and links are made here, each where it really comes to lie, and nothing else is.
"""

from __future__ import annotations

import os
import shutil
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
                _unpack_member(tar, member, target)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise BadArchive(str(error) or type(error).__name__) from error
    return size


def _unpack_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    name = member.name.lstrip("/")
    if member.isdir():
        _inside(target, target / name).mkdir(parents=True, exist_ok=True)
        return
    place = _inside(target, (target / name).parent) / Path(name).name
    _inside(target, place)
    place.parent.mkdir(parents=True, exist_ok=True)
    # Where an earlier member of this name is a link, it is replaced, and not what it leads to.
    place.unlink(missing_ok=True)
    if member.issym():
        _inside(target, place.parent / member.linkname)
        place.symlink_to(member.linkname)
        return
    content = tar.extractfile(member) if member.isreg() or member.islnk() else None
    if content is None:
        raise BadArchive(f"{member.name} is neither a file nor a folder nor a link")
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)
    place.chmod(member.mode & 0o755 | 0o600)


def _inside(target: Path, path: Path) -> Path:
    """Where a path really leads, links that were unpacked before included."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(target)):
        raise BadArchive(f"{path} would be outside")
    return real
