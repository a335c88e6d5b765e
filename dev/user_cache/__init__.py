"""Where this user keeps what is costly to make and can be made again: programs, parts of images. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["user_cache"]


def user_cache(family: str) -> Path:
    """`$AVATAR_CACHE_DIR/<family>`, by default in the XDG cache directory; it may not be there yet.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/

    Args:
        family: what is kept there.
    """
    chosen = os.environ.get("AVATAR_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute() / family
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "avatar-operator" / family
