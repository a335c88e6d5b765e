"""The prebuilt control plane that the Kubernetes project publishes for tests (envtest).

One archive carries etcd, kube-apiserver and kubectl. It is the quick way where the internet is open, and often it
is not, so the download gives up within seconds and the caller builds from Go modules instead.

The checksums come from `envtest-releases.yaml` in https://github.com/kubernetes-sigs/controller-tools (the file
that setup-envtest verifies against) and are pinned here: an index fetched from the archive's own host would vouch
for nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import queue
import tarfile
import threading
import time
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from local_cluster.binary_cache import PROGRAMS, Report
from local_cluster.errors import one_line

__all__ = ["ARCHIVES", "ARCHIVE_VERSION", "Archive", "ArchiveUnavailableError", "download"]

ARCHIVE_VERSION = "v1.34.1"

_CONNECT_SECONDS = 5.0
_STALL_SECONDS = 15.0
_TOTAL_SECONDS = 600.0
_REPORT_EVERY_SECONDS = 3.0
_MAX_ARCHIVE_BYTES = 300 * 1024 * 1024
_MAX_PROGRAM_BYTES = 400 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Archive:
    """A gzipped tar file with the control plane's programs, and the SHA-512 (hex) it must have."""

    url: str
    sha512: str


def _published(architecture: str, sha512: str) -> Archive:
    release = f"envtest-{ARCHIVE_VERSION}"
    return Archive(
        url=(
            "https://github.com/kubernetes-sigs/controller-tools/releases/download/"
            f"{release}/{release}-linux-{architecture}.tar.gz"
        ),
        sha512=sha512,
    )


ARCHIVES = {
    "amd64": _published(
        "amd64",
        "c5e7c237ae18a8c65d0df1214b864ecd19aa9ff4f1383dbd477c202546d778c0"
        "f74efe15750ec38f57d8de26ba17cd62f404446cdd3c975399a5d4589de35cdd",
    ),
    "arm64": _published(
        "arm64",
        "bf13d2456183e66d084e28e1c9eed6a408fb77a06d8d1fd0461a7d9bc0c90b63"
        "d29ea67870b28f80d1f992acb026007d6f43987753c859c81d6a78bc1ca2c903",
    ),
}


class ArchiveUnavailableError(Exception):
    """The archive cannot be had or is not what was published; says why in one line."""


def download(
    archive: Archive, directory: Path, report: Report, connect_seconds: float = _CONNECT_SECONDS
) -> None:
    """Fetch `archive`, verify it, and leave its programs in `directory`.

    Args:
        archive: what to fetch.
        directory: an existing folder; it receives the programs and nothing else.
        report: takes progress lines.
        connect_seconds: how long to wait for the host's first answer, name look-up included.

    Raises:
        ArchiveUnavailableError: unreachable, stalled, too large, checksum differs, or programs missing.
        OSError: `directory` cannot be written.
    """
    packed = directory / "archive.tar.gz"
    try:
        with _open(archive.url, connect_seconds) as response, packed.open("wb") as file:
            digest = _copy(response, file, report)
        if digest != archive.sha512:
            raise ArchiveUnavailableError(
                f"refused {archive.url}: its SHA-512 is {digest[:16]}…, not the published one"
            )
        _extract(packed, directory)
    finally:
        packed.unlink(missing_ok=True)


def _open(url: str, seconds: float) -> http.client.HTTPResponse:
    """Open `url` within `seconds`: a socket timeout alone does not bound the look-up of the host's name."""
    answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()

    def connect() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=_STALL_SECONDS))  # noqa: S310 - the scheme is pinned above
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.put(error)

    threading.Thread(target=connect, name="archive-connect", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise ArchiveUnavailableError(f"no answer within {seconds:.0f} s") from None
    if isinstance(answer, Exception):
        raise ArchiveUnavailableError(_reason(answer)) from answer
    return answer


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return one_line(str(getattr(inner, "strerror", None) or inner))


def _copy(response: http.client.HTTPResponse, file: IO[bytes], report: Report) -> str:
    expected = int(response.headers.get("Content-Length") or 0)
    digest = hashlib.sha512()
    received = 0
    started = reported = time.monotonic()
    while True:
        try:
            chunk = response.read(_CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise ArchiveUnavailableError(
                f"broke off after {received >> 20} MiB: {one_line(str(error))}"
            ) from error
        if not chunk:
            return digest.hexdigest()
        received += len(chunk)
        digest.update(chunk)
        file.write(chunk)
        now = time.monotonic()
        if received > _MAX_ARCHIVE_BYTES:
            raise ArchiveUnavailableError(f"larger than {_MAX_ARCHIVE_BYTES >> 20} MiB")
        if now - started > _TOTAL_SECONDS:
            raise ArchiveUnavailableError(f"only {received >> 20} MiB arrived in {_TOTAL_SECONDS:.0f} s")
        if now - reported > _REPORT_EVERY_SECONDS:
            reported = now
            report(f"{received >> 20} of {f'{expected >> 20}' if expected else 'an unknown number of'} MiB")


def _extract(packed: Path, directory: Path) -> None:
    missing = set(PROGRAMS)
    try:
        with tarfile.open(packed, "r:gz") as tar:
            for member in tar:
                name = PurePosixPath(member.name).name
                if name not in missing or not member.isfile():
                    continue
                if member.size > _MAX_PROGRAM_BYTES:
                    raise ArchiveUnavailableError(
                        f"{name} in it is larger than {_MAX_PROGRAM_BYTES >> 20} MiB"
                    )
                content = tar.extractfile(member)
                if content is None:
                    continue
                _write_program(content, directory / name)
                missing.discard(name)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise ArchiveUnavailableError(f"not a readable archive: {one_line(str(error))}") from error
    if missing:
        raise ArchiveUnavailableError(f"it lacks {', '.join(sorted(missing))}")


def _write_program(content: IO[bytes], path: Path) -> None:
    with path.open("wb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            file.write(chunk)
    path.chmod(0o755)
