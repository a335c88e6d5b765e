"""An API server in memory, behind the operator's KubeClient port. A fake, for unit tests only.

It keeps the promises that a reconcile leans on: every change gets a new resourceVersion, a write against an old
version or another uid is refused, deletion waits for finalizers, a status write touches nothing but the status, and
whoever watches is told. It validates nothing: schemas and CEL are tested on the real API server.
"""

import json
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from avatar_api.group import KINDS, Kind
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectKey, key_of
from avatar_operator.kube.client import ConflictError, KubeError, NotFoundError, Object, Page
from builders.manifests import Changes, Manifest, merged

T = TypeVar("T")
PAGE_SIZE = 2
Watcher = Callable[[Kind, Object, bool], None]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call. `after`: the call takes effect, and only its answer is lost."""

    verb: str
    after: bool
    error: KubeError


@dataclass(frozen=True)
class Backup:
    """What an etcd held, and the version that it had come to."""

    objects: Mapping[ObjectKey, Object]
    version: int


class FakeKubeClient:
    """Objects by key, and what was done to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[ObjectKey, Object] = {}
        self.version = 0
        """The newest resourceVersion."""
        self._watchers: list[Watcher] = []
        self._faults: deque[Fault] = deque()
        self.namespaces: dict[str, dict[str, str]] = {}
        """Labels of namespaces; a namespace that is not here does not exist."""
        self.closed_namespaces: set[str] = set()
        """Where nothing may be listed."""
        self.events: dict[tuple[str, str], Object] = {}
        self.leases: dict[tuple[str, str], Object] = {}
        self.writes: Counter[tuple[str, str]] = Counter()
        """Writes that took effect, by verb and kind."""

    # What a test does as the user, or as the network.

    def create(self, kind: Kind, manifest: Manifest, *, uid: str | None = None) -> Object:
        """Create an object from what a user typed."""
        body = _copied(manifest)
        body.pop("status", None)
        body["metadata"] |= {
            "uid": uid or str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": self._wire_time(),
        }
        return self._put(kind, body)

    def edit(self, kind: Kind, name: str, spec: Changes, *, namespace: str = "team-a") -> Object:
        """Change an object's spec, as a user would."""
        body = _copied(self.read(kind, name, namespace=namespace))
        body["spec"] = merged(body["spec"], spec)
        body["metadata"]["generation"] += 1
        return self._put(kind, body)

    def patch(self, kind: Kind, name: str, changes: Changes, *, namespace: str = "team-a") -> Object:
        """`kubectl patch --type merge`: whatever a user may change. Who takes the last finalizer of what is going ends it."""
        known = self.read(kind, name, namespace=namespace)
        body: Object = merged(_copied(known), changes)
        body["metadata"]["generation"] += body["spec"] != known["spec"]
        is_held = "deletionTimestamp" not in body["metadata"] or body["metadata"].get("finalizers")
        return self._put(kind, body) if is_held else self._remove(kind, body)

    def annotate(self, kind: Kind, name: str, annotations: Mapping[str, str]) -> Object:
        """`kubectl annotate`."""
        body = _copied(self.read(kind, name))
        body["metadata"]["annotations"] = {**body["metadata"].get("annotations", {}), **annotations}
        return self._put(kind, body)

    def read(self, kind: Kind, name: str, *, namespace: str = "team-a") -> Object:
        """The object; fails if it is gone."""
        return self._objects[ObjectKey(kind.kind, namespace if kind.namespaced else "", name)]

    def everything(self, *, namespace: str | None = None) -> list[tuple[Kind, Object]]:
        """Every object there is, or those of one namespace."""
        return [
            (kind_named(key.kind), _copied(body))
            for key, body in self._objects.items()
            if namespace in (None, key.namespace)
        ]

    def exists(self, kind: Kind, name: str, *, namespace: str = "team-a") -> bool:
        """Whether the object is there."""
        return ObjectKey(kind.kind, namespace if kind.namespaced else "", name) in self._objects

    def force_status(
        self, kind: Kind, name: str, status: Mapping[str, Any], *, namespace: str = "team-a"
    ) -> Object:
        """Set a status, whoever it comes from."""
        body = self.read(kind, name, namespace=namespace)
        return self._put(kind, {**body, "status": _on_the_wire(status)})

    def delete_as_user(self, kind: Kind, name: str, *, namespace: str = "team-a") -> None:
        """`kubectl delete --wait=false`."""
        self._delete(kind, self.read(kind, name, namespace=namespace))

    def remove_by_force(self, kind: Kind, name: str, *, namespace: str = "team-a") -> None:
        """Take an object away whatever its finalizers say."""
        self._remove(kind, self.read(kind, name, namespace=namespace))

    def backup(self) -> Backup:
        """Everything as it is now."""
        return Backup(_copied(self._objects), self.version)

    def restore(self, backup: Backup) -> None:
        """Have everything be as it was, and count versions from there, as after etcd was restored; no watch tells of it."""
        self._objects, self.version = _copied(dict(backup.objects)), backup.version

    def fail_next(self, verb: str, *, status: int = 500) -> None:
        """Refuse the next call of a verb."""
        self._faults.append(Fault(verb, after=False, error=KubeError("injected", status=status)))

    def lose_next_answer(self, verb: str) -> None:
        """Carry out the next call of a verb, and lose its answer."""
        self._faults.append(Fault(verb, after=True, error=KubeError("no answer", status=0)))

    def heal(self) -> None:
        """Forget the faults that have not struck yet."""
        self._faults.clear()

    def watch(self, watcher: Watcher) -> None:
        """Have a function called with every change: kind, object, and whether it is gone."""
        self._watchers.append(watcher)

    # The port.

    async def list_objects(self, kind: Kind, namespace: str = "") -> AsyncIterator[Page]:
        """See KubeClient. Pages are small, so that every list of some objects has several."""
        self._strike("list_objects", after=False)
        if namespace in self.closed_namespaces:
            raise KubeError(f"403 Forbidden: {kind.plural} in {namespace}", status=403)
        listed = [
            _copied(body)
            for key, body in self._objects.items()
            if key.kind == kind.kind and namespace in ("", key.namespace)
        ]
        for start in range(0, max(len(listed), 1), PAGE_SIZE):
            yield Page(listed[start : start + PAGE_SIZE], str(self.version))

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """See KubeClient."""
        self._strike("apply_status", after=False)
        body = {**self._current(kind, observed), "status": _on_the_wire(status)}
        written = self._put(kind, body)
        self.writes["apply_status", kind.kind] += 1
        self._strike("apply_status", after=True)
        return _copied(written)

    async def set_finalizers(self, kind: Kind, observed: Object, finalizers: Sequence[str]) -> Object:
        """See KubeClient."""
        self._strike("set_finalizers", after=False)
        body = _copied(self._current(kind, observed))
        metadata = body["metadata"]
        deleting = "deletionTimestamp" in metadata
        if deleting and set(finalizers) - set(metadata.get("finalizers", ())):
            raise KubeError("no new finalizers can be added if the object is being deleted", status=422)
        metadata["finalizers"] = list(finalizers)
        self.writes["set_finalizers", kind.kind] += 1
        written = self._remove(kind, body) if deleting and not finalizers else self._put(kind, body)
        self._strike("set_finalizers", after=True)
        return _copied(written)

    async def delete(self, kind: Kind, observed: Object) -> None:
        """See KubeClient."""
        self._strike("delete", after=False)
        current = self._objects.get(key_of(kind, observed))
        if current is not None and current["metadata"]["uid"] == observed["metadata"]["uid"]:
            self.writes["delete", kind.kind] += 1
            self._delete(kind, current)
        self._strike("delete", after=True)

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        """See KubeClient."""
        self._strike("read_namespace_labels", after=False)
        if name not in self.namespaces:
            raise NotFoundError("no such namespace", status=404)
        return self.namespaces[name]

    async def create_event(self, namespace: str, event: Object) -> bool:
        """See KubeClient."""
        self._strike("create_event", after=False)
        name = (namespace, event["metadata"]["name"])
        if name in self.events:
            return False
        self.events[name] = _on_the_wire(event)
        self._strike("create_event", after=True)
        return True

    async def read_lease(self, namespace: str, name: str) -> Object:
        """See KubeClient."""
        self._strike("read_lease", after=False)
        lease = self.leases.get((namespace, name))
        if lease is None:
            raise NotFoundError("no such lease", status=404)
        return _copied(lease)

    async def write_lease(self, lease: Object) -> Object:
        """See KubeClient."""
        self._strike("write_lease", after=False)
        metadata = lease["metadata"]
        name = (metadata["namespace"], metadata["name"])
        current = self.leases.get(name, {"metadata": {}})
        if current["metadata"].get("resourceVersion") != metadata.get("resourceVersion"):
            raise ConflictError("somebody was faster", status=409)
        self.version += 1
        written = {**lease, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        self.leases[name] = _on_the_wire(written)
        self._strike("write_lease", after=True)
        return _copied(written)

    # How it works.

    def reasons(self) -> list[str]:
        """The reasons of all Events, in the order they were told."""
        return [event["reason"] for event in self.events.values()]

    def _strike(self, verb: str, *, after: bool) -> None:
        for fault in self._faults:
            if fault.verb == verb and fault.after == after:
                self._faults.remove(fault)
                raise fault.error

    def _current(self, kind: Kind, observed: Object) -> Object:
        current = self._objects.get(key_of(kind, observed))
        if current is None:
            raise NotFoundError("gone", status=404)
        for name in ("uid", "resourceVersion"):
            if current["metadata"][name] != observed["metadata"][name]:
                raise ConflictError(f"another {name}", status=409)
        return current

    def _put(self, kind: Kind, body: Object) -> Object:
        self.version += 1
        stored = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        self._objects[key_of(kind, stored)] = stored
        self._show(kind, stored, gone=False)
        return stored

    def _remove(self, kind: Kind, body: Object) -> Object:
        self.version += 1
        last = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        del self._objects[key_of(kind, body)]
        self._show(kind, last, gone=True)
        return last

    def _delete(self, kind: Kind, body: Object) -> None:
        if not body["metadata"].get("finalizers"):
            self._remove(kind, body)
        elif "deletionTimestamp" not in body["metadata"]:
            deleting = _copied(body)
            deleting["metadata"]["deletionTimestamp"] = self._wire_time()
            deleting["metadata"]["generation"] += 1
            self._put(kind, deleting)

    def _show(self, kind: Kind, body: Object, *, gone: bool) -> None:
        for watcher in self._watchers:
            watcher(kind, _copied(body), gone)

    def _wire_time(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def kind_named(name: str) -> Kind:
    """The kind of ours that has this name."""
    return next(kind for kind in KINDS if kind.kind == name)


def _copied(value: T) -> T:
    """A copy of what is made of dicts and lists: `copy.deepcopy` does the same, and was half the time of a long story."""
    copied: Any = value
    if isinstance(value, dict):
        copied = {name: _copied(child) for name, child in value.items()}
    elif isinstance(value, list):
        copied = [_copied(child) for child in value]
    return cast(T, copied)


def _on_the_wire(value: Mapping[str, Any]) -> Object:
    """A copy that has been JSON once: what cannot be sent is found out here."""
    copied: Object = json.loads(json.dumps(value))
    return copied
