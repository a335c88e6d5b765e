"""Pack a personal model into a tar.gz, and unpack one that is not trusted.

gzip level 1: float weights hardly compress, and what a cold start waits for is decompression. The archive of the same
files is the same to the byte (no times, no owners), so a checksum says "same model".
"""

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME
from avatar_workers.errors import WorkerFailure

ALLOWED_MEMBERS = frozenset({MANIFEST_NAME, WEIGHTS_NAME})
MAX_MANIFEST_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 2 << 30
MAX_MEMBER_BYTES: Mapping[str, int] = {MANIFEST_NAME: MAX_MANIFEST_BYTES, WEIGHTS_NAME: MAX_WEIGHTS_BYTES}
COPY_BYTES = 1 << 20


def pack_archive(destination: Path, members: Mapping[str, Path | bytes]) -> None:
    """Write a tar.gz of regular files.

    Args:
        destination: the archive to be written; its directory exists.
        members: content of each member, by name, in the order they shall stand in the archive.
    """
    with (
        destination.open("xb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=1, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            else:
                member.size = content.stat().st_size
                with content.open("rb") as stream:
                    archive.addfile(member, stream)


def unpack_archive(archive_path: Path, directory: Path) -> None:
    """Unpack an archive that nobody vouches for into an existing, empty directory.

    Only the two known members are accepted, as regular files, once each, within their size limits; names are compared,
    never joined to a path unseen. A half-unpacked directory may be left behind: the caller owns and removes it.

    Raises:
        WorkerFailure: ArtifactInvalid, saying which member and why.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(archive_path, mode="r|gz") as archive:
            for member in archive:
                _check_member(member, seen)
                seen.add(member.name)
                source = archive.extractfile(member)
                assert source is not None
                with (directory / member.name).open("xb") as target:
                    while chunk := source.read(COPY_BYTES):
                        target.write(chunk)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise WorkerFailure(
                "InternalError", f"the artifact cannot be unpacked: {os.strerror(error.errno)}"
            ) from error
        raise WorkerFailure("ArtifactInvalid", f"the archive is damaged: {error}") from error
    if missing := ALLOWED_MEMBERS - seen:
        raise WorkerFailure("ArtifactInvalid", f"the archive lacks {', '.join(sorted(missing))}")


def _check_member(member: tarfile.TarInfo, seen: set[str]) -> None:
    name = member.name[:128]
    if member.name not in ALLOWED_MEMBERS:
        raise WorkerFailure(
            "ArtifactInvalid",
            f"the archive holds {name!r}; only {' and '.join(sorted(ALLOWED_MEMBERS))} are accepted",
        )
    if not member.isreg():
        raise WorkerFailure("ArtifactInvalid", f"{name!r} in the archive is not a regular file")
    if member.name in seen:
        raise WorkerFailure("ArtifactInvalid", f"{name!r} stands in the archive twice")
    if member.size > MAX_MEMBER_BYTES[member.name]:
        raise WorkerFailure(
            "ArtifactInvalid",
            f"{name!r} in the archive has {member.size} bytes, more than {MAX_MEMBER_BYTES[member.name]}",
        )
