"""Whose entries have a place in a runtime's status, where places are few. Pure.

A tenant can leave behind what nobody can remove, in a bucket that denies it, and as much of that as it likes. So a namespace
takes no place that leaves fewer free than it has by then: one alone gets half of them, the next half of the rest, and whoever
has none finds one as long as there is any. Nobody's entry is given up for another's: whoever finds no place waits.
"""

from collections.abc import Sequence

from avatar_api.avatar_runtime import LeftBehind

MAX_ENTRIES = 100
"""What the schema of the status takes."""


def has_place(entries: Sequence[LeftBehind], namespace: str) -> bool:
    """Whether there is a place beside some entries for one more of a namespace."""
    return _taken(entries, namespace) < MAX_ENTRIES - len(entries)


def has_place_to_wait(entries: Sequence[LeftBehind], namespace: str) -> bool:
    """Whether there is one for what may only come yet: half as many, the rest is for what is there already."""
    return _taken(entries, namespace) < (MAX_ENTRIES - len(entries)) // 2


def _taken(entries: Sequence[LeftBehind], namespace: str) -> int:
    return sum(entry.namespace == namespace for entry in entries)
