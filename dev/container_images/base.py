"""The base of quick images: Debian with its own Python, made by mmdebstrap from the mirror that this machine's apt uses.

It stands for the base that a Dockerfile names where no registry can be reached. 27 s, once a release; then it comes from the cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from container_images.cache import kept
from container_images.errors import ImageError

RELEASE = "bookworm"
PYTHON = (3, 11)
"""The release's Python; an image's packages are chosen and compiled for it."""
_PACKAGES = ("python3", "python3-venv", "ca-certificates")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))


def why_not() -> str | None:
    """Why no base can be made on this machine, in one line; None if one can."""
    if os.geteuid() != 0:
        return "a base for images is made by root alone"
    if missing_packages():
        return (
            "a base for images is made by mmdebstrap, which is missing "
            "(make system-packages, or: apt-get install mmdebstrap)"
        )
    if not _sources():
        return f"a base for images is made from apt's sources, and there are none in {' or '.join(map(str, _SOURCES))}"
    return None


def missing_packages() -> list[str]:
    """The Debian packages that a base is made with and this machine lacks."""
    return [] if shutil.which("mmdebstrap") else ["mmdebstrap"]


def base_tar(cache: Path) -> Path:
    """The base as a tar file, made if it isn't in the cache.

    Raises:
        ImageError: it cannot be made.
    """
    return kept(cache, f"base-{RELEASE}.tar", lambda path, _: _make(path))


def _make(path: Path) -> None:
    reason = why_not()
    if reason:
        raise ImageError(reason)
    done = subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={','.join(_PACKAGES)}",
            *(f"--dpkgopt=path-exclude={left_out}" for left_out in _LEFT_OUT),
            RELEASE,
            path,
            *_sources(),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ImageError(f"mmdebstrap could not make a base: {last}")


def _sources() -> list[Path]:
    return [path for path in _SOURCES if path.exists()][:1]
