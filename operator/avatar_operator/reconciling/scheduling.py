"""Who has to be looked at when something is seen: the object itself, and those that depend on it.

The watch, the sweeper and our own writes change the cache, and every change of the cache ends here. A model waits for
its runtime and a request for both, so a change of the one brings the others back without anybody polling. What we
wrote ourselves does not bring the object itself back: the pass that wrote it said when to look again, and if something
failed in that pass it is the back-off that counts.

A replica that only stands by sees every change as well. Nothing is queued there until it leads: `begin` queues
everything that is known by then.
"""

from collections.abc import Callable, Mapping

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import Object
from avatar_operator.kube.memory import Memory

RECONCILE_REQUESTED_AT = "avatars.dev/reconcile-requested-at"


class Scheduler:
    """Feeds the queues from what is seen.

    Args:
        cache: what is known; its changes are followed.
        queues: what is fed.
        ask_for_outcome: called with a model whose next pass shall ask how its attempt stands.
    """

    def __init__(
        self,
        cache: ObjectCache,
        queues: Mapping[Kind, WorkQueue[ObjectKey]],
        ask_for_outcome: Callable[[ObjectKey], None],
    ) -> None:
        self._cache = cache
        self._queues = {kind.kind: queue for kind, queue in queues.items()}
        self._ask_for_outcome = ask_for_outcome
        self._requests: Memory[str] = Memory(cache, "")
        self._begun = False
        cache.subscribe(self._changed, own_writes=False)
        cache.subscribe(self._bring_back_dependents)

    def begin(self) -> None:
        """Queue everything that is known, and from now on whatever changes."""
        self._begun = True
        for kind in KINDS:
            for key in self._cache.keys(kind):
                self.enqueue(key)

    def enqueue(self, key: ObjectKey) -> None:
        """Have one object looked at; nothing happens before `begin`."""
        if self._begun:
            self._queues[key.kind].add(key)

    def inquire(self, key: ObjectKey) -> None:
        """Have one object looked at closely: whatever is asked only now and then is asked this time."""
        if self._begun:
            if key.kind == AVATAR_MODEL.kind:
                self._ask_for_outcome(key)
            self.enqueue(key)

    def seen(self, kind: Kind, body: Object, *, deleted: bool) -> None:
        """An object was shown by the watch or a list."""
        if deleted:
            self._cache.remove(kind, key_of(kind, body), body["metadata"]["uid"])
        else:
            self._cache.store(kind, body)

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if not deleted and self._is_requested_anew(body):
            # A person who asks for a look now has mended something: earlier failures do not count any more.
            self._queues[key.kind].forget(key)
            self.inquire(key)
        self.enqueue(key)

    def _is_requested_anew(self, body: Object) -> bool:
        uid = body["metadata"]["uid"]
        requested = body["metadata"].get("annotations", {}).get(RECONCILE_REQUESTED_AT, "")
        if requested == self._requests.of(uid):
            return False
        self._requests.note(uid, requested)
        return True

    def _bring_back_dependents(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        for dependent in self._cache.dependents(key):
            self.enqueue(dependent)
            # A request waits for the runtime of its model, too.
            for request in self._cache.dependents(dependent):
                self.enqueue(request)
        if deleted:
            self._bring_back_runtime(kind, body)

    def _bring_back_runtime(self, kind: Kind, body: Object) -> None:
        # A runtime that is being deleted waits for its last user.
        if kind == AVATAR_MODEL:
            name = body.get("spec", {}).get("runtimeRef", {}).get("name")
        else:
            name = body.get("status", {}).get("runtimeName")
        if name is not None:
            self.enqueue(ObjectKey(AVATAR_RUNTIME.kind, "", name))
