"""The collector: every hour, what is stored below the runtimes' prefixes, and what carries their mark, is compared with
the objects there are.

It runs only where the operator leads, one runtime after another, and holds up nobody: a listing of a big bucket takes
minutes. By default it only says what it found. Who wants orphans removed says so in the runtime, and should have no other
cluster store things below the same prefixes: its objects are not known here.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.compute import Stray
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.lookup import find_runtime, find_runtimes
from avatar_operator.kube.memory import Memory
from avatar_operator.orphans.finding import Finding
from avatar_operator.orphans.findings import OrphanFindings
from avatar_operator.orphans.judgement import judge, without_owner

INTERVAL_SECONDS = 3600.0
ACTIONS = ("Reported", "Removed", "Failed")
logger = structlog.get_logger(__name__)


class OrphanCollector:
    """Looks for orphans, again and again.

    Args:
        cache: the objects there are.
        backends: where things are stored.
        clock: dates what is told.
        findings: take the results to the runtimes.
        registry: where the series is published.
        shows_all: whether every object of a namespace is in the cache.
        monotonic: seconds on a clock that never goes back or ahead: tells for how long something has had no owner.
    """

    def __init__(
        self,
        cache: ObjectCache,
        backends: Backends,
        clock: Clock,
        findings: OrphanFindings,
        registry: CollectorRegistry,
        *,
        shows_all: Callable[[str], bool],
        monotonic: Callable[[], float] = lambda: asyncio.get_running_loop().time(),
    ) -> None:
        self._cache = cache
        self._backends = backends
        self._clock = clock
        self._findings = findings
        self._shows_all = shows_all
        self._monotonic = monotonic
        self._first_seen: Memory[Mapping[str, float]] = Memory(cache, {})
        self._told: Memory[frozenset[str]] = Memory(cache, frozenset())
        self._orphans = Counter(
            "avatar_orphans",
            "Orphans, by what became of them: Reported, Removed, Failed.",
            ("action",),
            registry=registry,
        )
        for action in ACTIONS:
            self._orphans.labels(action)

    async def run(self) -> None:
        """Look until cancelled, first after one interval: who has just come to lead has more urgent things to do."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.look()
            except Exception:
                # Nobody waits for orphans: a defect here must not end what people do wait for.
                logger.exception("looking for orphans failed")

    async def look(self) -> None:
        """Look once below every runtime's prefixes."""
        for runtime in find_runtimes(self._cache):
            if runtime.metadata.deletion_timestamp is not None:
                continue
            try:
                await self._look_at(runtime)
            except BackendError as error:
                logger.warning(
                    "orphans could not be looked for",
                    name=runtime.metadata.name,
                    reason=error.reason,
                    why=error.in_full,
                )

    async def _look_at(self, runtime: AvatarRuntime) -> None:
        backend, uid = self._backends.of(runtime), runtime.metadata.uid
        stored = await backend.storage.owners(runtime)
        runtimes = {body["metadata"]["uid"] for body in self._cache.sights(AVATAR_RUNTIME)}
        strays = await backend.compute.strays(runtime, runtimes)
        # Who was created while the listing ran has an owner, too: so the objects are counted after it.
        known = [owner for owner in stored if self._shows_all(owner.namespace)]
        ownerless: list[StoredOwner | Stray] = [*without_owner(known, self._living()), *strays]
        judgement = judge(
            ownerless,
            first_seen=self._first_seen.of(uid),
            now=self._monotonic(),
            grace_seconds=runtime.spec.garbage_collection.grace_period_seconds,
        )
        self._first_seen.note(uid, judgement.first_seen)
        self._tell(runtime, judgement.orphans)
        removed = 0
        for orphan in judgement.orphans:
            # A search takes minutes, and so may the removal: whoever edits the runtime meanwhile is heard.
            current = find_runtime(self._cache, runtime.metadata.name, whole=False)
            if current is not None and _wants_removal(current, uid):
                removed += await self._remove(current, orphan)
        found = len(judgement.orphans) - removed
        self._findings.note(runtime, Finding(found, removed, self._clock.now()))

    def _living(self) -> frozenset[str]:
        uids = {
            body["metadata"]["uid"]
            for kind in (AVATAR_MODEL, AVATAR_REQUEST)
            for body in self._cache.objects(kind)
        }
        left_behind = {
            entry["uid"]
            for body in self._cache.sights(AVATAR_RUNTIME)
            for entry in body.get("status", {}).get("leftBehind", ())
        }
        return frozenset(uids | left_behind)

    def _tell(self, runtime: AvatarRuntime, orphans: Collection[StoredOwner | Stray]) -> None:
        known = self._told.of(runtime.metadata.uid)
        for orphan in orphans:
            if orphan.location not in known:
                self._orphans.labels("Reported").inc()
                logger.warning("an orphan was found", **_fields(runtime, orphan))
        self._told.note(runtime.metadata.uid, frozenset(orphan.location for orphan in orphans))

    async def _remove(self, runtime: AvatarRuntime, orphan: StoredOwner | Stray) -> int:
        """Remove one orphan; how many that were."""
        if not self._may_remove(runtime, orphan):
            return 0
        try:
            left = await self._removed(runtime, orphan)
        except BackendError as error:
            left = error.in_full
        self._orphans.labels("Failed" if left else "Removed").inc()
        if left:
            logger.warning("an orphan could not be removed", why=left, **_fields(runtime, orphan))
            return 0
        logger.info("an orphan was removed", **_fields(runtime, orphan))
        return 1

    def _may_remove(self, runtime: AvatarRuntime, orphan: StoredOwner | Stray) -> bool:
        if isinstance(orphan, Stray):
            # With the mark of a runtime that is unknown here it may belong to another cluster.
            return orphan.runtime_uid == runtime.metadata.uid
        return self._shows_all(orphan.namespace) and orphan.uid not in self._living()

    async def _removed(self, runtime: AvatarRuntime, orphan: StoredOwner | Stray) -> str:
        """Remove one orphan; what could not be removed, in words."""
        backend = self._backends.of(runtime)
        if isinstance(orphan, Stray):
            await backend.compute.delete_stray(runtime, orphan)
            return ""
        report = await backend.storage.delete_owned(runtime, orphan)
        return "; ".join(report.left_behind)


def _wants_removal(runtime: AvatarRuntime, uid: str) -> bool:
    """Whether it is still the runtime of a uid, and has orphans removed."""
    going = runtime.metadata.deletion_timestamp is not None
    return runtime.metadata.uid == uid and not going and runtime.spec.garbage_collection.orphans == "Delete"


def _fields(runtime: AvatarRuntime, orphan: StoredOwner | Stray) -> dict[str, object]:
    known: dict[str, object] = {"runtime": runtime.metadata.name, "location": orphan.location}
    if isinstance(orphan, Stray):
        return {**known, "runtime_uid": orphan.runtime_uid}
    return {
        **known,
        "kind": orphan.kind,
        "namespace": orphan.namespace,
        "uid": orphan.uid,
        "objects": orphan.objects,
    }
