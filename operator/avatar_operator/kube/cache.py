"""What we know of our objects: a plain dictionary, fed by the watch and by our own writes.

The newest version of an object wins, whoever brought it, so a reconcile that follows a write of ours sees that write
even if the watch is late. Versions of one object are compared as numbers: Kubernetes promises that order for the
resourceVersions of one resource (KEP-5504), and etcd has always kept it.

Where an operator works in some namespaces only, AvatarRuntimes that are not its own are kept apart (`scope`): whoever has an
effect does not find them, and whoever compares runtimes with each other asks for them by name.

Two small indexes answer "who depends on this?", in constant time per event. (kopf's own indexes take quadratic time at
start-up; reference: docs/decisions.)
"""

import gc
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, FINALIZER, Kind
from avatar_operator.kube.client import Object
from avatar_operator.kube.scope import WHOLE_CLUSTER, Scope

GROWTH_BETWEEN_FREEZES = 1.25
Subscriber = Callable[[Kind, "ObjectKey", Object, bool], None]


@dataclass(frozen=True, order=True)
class ObjectKey:
    """An object by name. Cluster-scoped objects have an empty namespace."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}" if self.namespace else f"{self.kind}/{self.name}"


def key_of(kind: Kind, body: Object) -> ObjectKey:
    """The key of an object."""
    metadata = body["metadata"]
    return ObjectKey(kind.kind, metadata.get("namespace", ""), metadata["name"])


def version_of(body: Object) -> int:
    """The resourceVersion of an object, as the number that it is on every API server (the module says why)."""
    return int(body["metadata"]["resourceVersion"])


def referenced_name(kind: Kind, body: Object) -> ObjectKey | None:
    """The object that an object depends on: a model's runtime, a request's model."""
    spec: dict[str, Any] = body.get("spec", {})
    if kind == AVATAR_MODEL:
        return ObjectKey("AvatarRuntime", "", spec.get("runtimeRef", {}).get("name", ""))
    if kind == AVATAR_REQUEST:
        return ObjectKey(
            "AvatarModel", body["metadata"]["namespace"], spec.get("modelRef", {}).get("name", "")
        )
    return None


class ObjectCache:
    """The newest known version of every object of ours. Whoever subscribes is told of every change, once.

    Args:
        scope: tells which runtimes are another operator's.
    """

    def __init__(self, scope: Scope = WHOLE_CLUSTER) -> None:
        self._scope = scope
        self._subscribers: list[Subscriber] = []
        self._subscribers_to_others: list[Subscriber] = []
        self._subscribers_to_foreign: list[Subscriber] = []
        self._objects: dict[ObjectKey, Object] = {}
        self._foreign: dict[ObjectKey, Object] = {}
        self._dependents: defaultdict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._keys_by_uid: dict[str, ObjectKey] = {}
        self._listed: dict[Kind, int] = {}
        self._let_go: set[str] = set()
        self._frozen = 0

    def subscribe(self, subscriber: Subscriber, *, own_writes: bool = True) -> None:
        """Call `subscriber(kind, key, body, deleted)` after every change.

        Args:
            subscriber: is called.
            own_writes: whether it wants to know of what this process wrote itself, too.
        """
        (self._subscribers if own_writes else self._subscribers_to_others).append(subscriber)

    def subscribe_to_foreign(self, subscriber: Subscriber) -> None:
        """Call `subscriber(kind, key, body, deleted)` after every change of a runtime that is another operator's."""
        self._subscribers_to_foreign.append(subscriber)

    def get(self, key: ObjectKey) -> Object | None:
        """The newest known version, or None if the object is not known or gone."""
        return self._objects.get(key)

    def foreign(self, key: ObjectKey) -> Object | None:
        """The newest known version of a runtime that is another operator's, or nobody's; None if it is not known as that."""
        return self._foreign.get(key)

    def sight(self, key: ObjectKey) -> Object | None:
        """The newest known version, whosever it is."""
        return self._objects.get(key) or self._foreign.get(key)

    def sights(self, kind: Kind) -> list[Object]:
        """Every known object of a kind, whosever it is."""
        return [
            body
            for known in (self._objects, self._foreign)
            for key, body in known.items()
            if key.kind == kind.kind
        ]

    def by_uid(self, uid: str) -> ObjectKey | None:
        """The key of the object with a uid."""
        return self._keys_by_uid.get(uid)

    def dependents(self, key: ObjectKey) -> tuple[ObjectKey, ...]:
        """The objects that refer to this one."""
        return tuple(self._dependents.get(key, ()))

    def keys(self, kind: Kind) -> list[ObjectKey]:
        """The keys of every known object of a kind."""
        return [key for key in self._objects if key.kind == kind.kind]

    def objects(self, kind: Kind) -> Iterable[Object]:
        """Every known object of a kind."""
        return [body for key, body in self._objects.items() if key.kind == kind.kind]

    def listed(self, kind: Kind) -> int:
        """How far the API server had come when a kind was listed last, as a resourceVersion; 0 before the first list."""
        return self._listed.get(kind, 0)

    def note_listed(self, kind: Kind, version: int) -> None:
        """What a list of this resourceVersion showed is known, or something newer."""
        self._listed[kind] = version

    def note_let_go(self, uid: str) -> None:
        """This process is about to let an object go: everything that belongs to it is seen to, whoever shows that it is gone."""
        self._let_go.add(uid)

    def is_let_go(self, uid: str) -> bool:
        """Whether this process let an object go, as long as subscribers are told of its end."""
        return uid in self._let_go

    def store(self, kind: Kind, body: Object, *, own_write: bool = False) -> bool:
        """Remember an object unless a newer version is known; True if this was news.

        Args:
            kind: the object's kind.
            body: the object.
            own_write: it is the answer to a write of ours: whoever made it knows it, and is not called because of it.
        """
        key = key_of(kind, body)
        known = self.sight(key)
        if known is not None and version_of(known) >= version_of(body):
            return False
        is_foreign = self._scope.is_foreign(kind, body)
        if known is not None and (key in self._foreign) != is_foreign:
            # It changes hands: gone for whoever had it.
            self.remove(kind, key, known["metadata"]["uid"])
            known = None
        if is_foreign:
            self._foreign[key] = body
            self._tell_of_foreign(kind, key, body, deleted=False)
            return True
        if known is not None and known["metadata"]["uid"] != body["metadata"]["uid"]:
            # Its deletion was missed. Whoever follows it has to hear of that end, too.
            self.remove(kind, key, known["metadata"]["uid"])
        elif known is not None:
            self._unlink(kind, key, known)
        # managedFields are half of an object's bytes and nothing reads them.
        metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
        stored = self._objects[key] = _with_shared_words({**body, "metadata": metadata})
        self._relieve_collector()
        self._keys_by_uid[metadata["uid"]] = key
        if FINALIZER in metadata.get("finalizers", ()):
            # It was not let go after all: somebody else's write came first.
            self._let_go.discard(metadata["uid"])
        owner = referenced_name(kind, body)
        if owner is not None:
            self._dependents[owner].add(key)
        # Who keeps what it is told keeps nothing that is not kept anyway.
        self._tell(kind, key, stored, deleted=False, own_write=own_write)
        return True

    def remove(self, kind: Kind, key: ObjectKey, uid: str) -> bool:
        """Forget an object; True if it was known under this uid."""
        known = self.sight(key)
        if known is None or known["metadata"]["uid"] != uid:
            return False
        if key in self._foreign:
            del self._foreign[key]
            self._tell_of_foreign(kind, key, known, deleted=True)
            return True
        self._unlink(kind, key, known)
        del self._objects[key]
        self._tell(kind, key, known, deleted=True, own_write=False)
        self._let_go.discard(uid)
        return True

    def _relieve_collector(self) -> None:
        """Take what is cached out of the garbage collector's rounds, whenever there is a good deal more of it.

        It lives long and has no cycles, and with some thousand objects each full round would hold the event loop for a
        quarter of a second. Only growth counts: what is frozen by chance along with it is never collected.
        """
        if len(self._objects) > self._frozen * GROWTH_BETWEEN_FREEZES:
            gc.freeze()
            self._frozen = len(self._objects)

    def _tell(self, kind: Kind, key: ObjectKey, body: Object, *, deleted: bool, own_write: bool) -> None:
        for subscriber in self._subscribers:
            subscriber(kind, key, body, deleted)
        for subscriber in () if own_write else self._subscribers_to_others:
            subscriber(kind, key, body, deleted)

    def _tell_of_foreign(self, kind: Kind, key: ObjectKey, body: Object, *, deleted: bool) -> None:
        for subscriber in self._subscribers_to_foreign:
            subscriber(kind, key, body, deleted)

    def _unlink(self, kind: Kind, key: ObjectKey, body: Object) -> None:
        self._keys_by_uid.pop(body["metadata"]["uid"], None)
        owner = referenced_name(kind, body)
        if owner is not None:
            self._dependents[owner].discard(key)
            if not self._dependents[owner]:
                del self._dependents[owner]


def _with_shared_words(value: Any) -> Any:
    """A copy of an object in which every word is the one that other objects have, too.

    json makes new strings for every object that it reads, the names of its fields included, and most of an object are
    words that all objects share: without them five thousand objects take a third less memory.
    """
    if isinstance(value, dict):
        return {sys.intern(name): _with_shared_words(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_shared_words(part) for part in value]
    return sys.intern(value) if type(value) is str else value
