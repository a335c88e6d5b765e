"""Which uv makes the quick images: the one that the Makefile put in place, else the one on PATH."""

from __future__ import annotations

import re
import shutil

from container_images.errors import ImageError
from container_images.images import PROJECT


def makefile_uv_version() -> str:
    """The version that the Makefile pins.

    Raises:
        ImageError: it pins none.
    """
    pinned = re.search(r"^UV_VERSION := (\S+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    if pinned is None:
        raise ImageError("the Makefile pins no UV_VERSION")
    return pinned[1]


def find_uv() -> str:
    """The path of the program.

    Raises:
        ImageError: there is none.
    """
    own = PROJECT / ".cache" / f"uv-{makefile_uv_version()}" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise ImageError("uv is missing; `make setup` puts it in place")
    return found
