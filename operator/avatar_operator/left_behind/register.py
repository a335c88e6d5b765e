"""Entries on their way from the objects that go to the runtimes that take over. Lost with the process, and handed in again."""

from collections.abc import Callable
from datetime import datetime

from avatar_api.avatar_runtime import AvatarRuntimeStatus, LeftBehind
from avatar_operator.left_behind.last_removal import handed_over_at


class LeftBehindRegister:
    """Entries on their way into the status of their runtimes.

    Args:
        on_entry: called with the name of a runtime that has to look at what waits for it.
    """

    def __init__(self, on_entry: Callable[[str], None]) -> None:
        self._on_entry = on_entry
        self._waiting: dict[str, dict[str, LeftBehind]] = {}

    def hand_over(self, runtime_name: str, entry: LeftBehind) -> None:
        """Have a runtime take over what an object leaves behind; asking again does not begin anew."""
        waiting = self._waiting.setdefault(runtime_name, {})
        known = waiting.get(entry.uid)
        if known is not None:
            entry = entry.model_copy(update={"since": known.since, "may_grow_until": known.may_grow_until})
        waiting[entry.uid] = entry
        self._on_entry(runtime_name)

    def asked_since(self, runtime_name: str, uid: str) -> datetime | None:
        """Since when a runtime has been asked to take over what an object leaves behind; None if it is not being asked."""
        entry = self._waiting.get(runtime_name, {}).get(uid)
        return None if entry is None else handed_over_at(entry)

    def waiting(self, runtime_name: str) -> tuple[LeftBehind, ...]:
        """The entries that a runtime has not written yet."""
        return tuple(self._waiting.get(runtime_name, {}).values())

    def written(self, runtime_name: str, status: AvatarRuntimeStatus) -> None:
        """A runtime's status stands in the API server: what it names does not wait any more."""
        waiting = self._waiting.get(runtime_name, {})
        for entry in status.left_behind:
            waiting.pop(entry.uid, None)
        if not waiting:
            self._waiting.pop(runtime_name, None)
