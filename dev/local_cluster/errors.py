"""The one error that this package shows to people."""

from __future__ import annotations

__all__ = ["LocalClusterError", "one_line"]


class LocalClusterError(Exception):
    """Says in one line what is wrong, where, and how to mend it; command lines print it without a traceback."""


def one_line(text: str, limit: int = 400) -> str:
    """Fold text from another program into one line of at most `limit` characters.

    Args:
        text: anything, line breaks included.
        limit: characters kept; the rest is cut and marked with an ellipsis.

    Returns:
        The text with every run of white space made one space.
    """
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"
