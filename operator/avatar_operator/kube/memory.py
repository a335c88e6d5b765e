"""What this process remembers of each object from pass to pass, beside what the API server keeps. It may be lost at any time.

An object is one uid: whoever is created anew under an old name is somebody else, and nothing is known of it. What is
remembered ends with the object, whoever notices that it is gone, so nobody has to think of forgetting. And of an object
that is gone nothing is remembered any more: a call that ends after its object leaves no note behind.
"""

from typing import Generic, TypeVar

from avatar_api.group import Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object

NoteT = TypeVar("NoteT")


class Memory(Generic[NoteT]):
    """One note for each object of which there is something to remember. Use from one event loop only.

    Args:
        cache: tells which objects there are.
        blank: the note of an object of which nothing is remembered.
    """

    def __init__(self, cache: ObjectCache, blank: NoteT) -> None:
        self._cache = cache
        self._blank = blank
        self._notes: dict[str, NoteT] = {}
        cache.subscribe(self._changed)

    def of(self, uid: str) -> NoteT:
        """The note of an object."""
        return self._notes.get(uid, self._blank)

    def note(self, uid: str, note: NoteT) -> None:
        """Remember something of an object, instead of what was remembered before."""
        if note == self._blank:
            self._notes.pop(uid, None)
        elif self._cache.by_uid(uid) is not None:
            self._notes[uid] = note

    def __len__(self) -> int:
        return len(self._notes)

    def _changed(self, _kind: Kind, _key: ObjectKey, body: Object, deleted: bool) -> None:
        if deleted:
            self._notes.pop(body["metadata"]["uid"], None)
