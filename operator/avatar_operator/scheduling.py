"""Who has to be looked at when something is seen: the object itself, and those that depend on it.

The watch, the sweeper and our own writes change the cache, and every change of the cache ends here. A model waits for its runtime and a request for its
model, so a change of the one brings the other back without anybody polling.
"""

from collections.abc import Mapping

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import Object


class Scheduler:
    """Feeds the queues from what is seen."""

    def __init__(self, cache: ObjectCache, queues: Mapping[Kind, WorkQueue[ObjectKey]]) -> None:
        self._cache = cache
        self._queues = {kind.kind: queue for kind, queue in queues.items()}
        cache.subscribe(self._changed)

    def enqueue(self, key: ObjectKey) -> None:
        """Have one object looked at."""
        self._queues[key.kind].add(key)

    def seen(self, kind: Kind, body: Object, *, deleted: bool) -> None:
        """An object was shown by the watch or a list."""
        if deleted:
            self._cache.remove(kind, key_of(kind, body), body["metadata"]["uid"])
        else:
            self._cache.store(kind, body)

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        self.enqueue(key)
        if kind in (AVATAR_RUNTIME, AVATAR_MODEL):
            for dependent in self._cache.dependents(key):
                self.enqueue(dependent)
        if kind == AVATAR_MODEL and deleted:
            # A runtime that is being deleted waits for its last user.
            name = body.get("spec", {}).get("runtimeRef", {}).get("name", "")
            self.enqueue(ObjectKey(AVATAR_RUNTIME.kind, "", name))
