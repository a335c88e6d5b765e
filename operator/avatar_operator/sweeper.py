"""The sweeper: now and then, everything is compared with the API server, whatever the watch has said.

It heals what a watch can lose (deletions across a reconnect, above all), brings every object back for its deadlines,
and asks once for the outcome of every attempt that runs, in case a notification was lost. It is also what liveness
rests on: a watch is alive if the cache is no older than what a list shows. A replica that stands by sweeps as well, so that its
cache is true when it comes to lead; the scheduler and the lifecycles see to it that nothing is done there.

Objects are compared a page at a time, and only those that differ are held until the end.

Where namespaces are named to the operator, each is listed by itself. One that refuses is left as it is known, and asked again and
again until it answers (`kube.watched_namespaces`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from avatar_api.group import KINDS, Kind
from avatar_operator.core.running import run_beside
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of, version_of
from avatar_operator.kube.client import KubeClient, KubeError, Object, Page
from avatar_operator.kube.scope import EVERYWHERE
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.kube.watched_namespaces import WatchedNamespaces
from avatar_operator.reconciling.scheduling import Scheduler

logger = structlog.get_logger(__name__)

WATCH_GRACE_SECONDS = 5.0
CLOSED_NAMESPACE_SECONDS = 15.0
"""How often a namespace that refuses is asked again."""


@dataclass(frozen=True)
class _Misses:
    """The first and the last of the sweeps in a row that found something missed, in the loop's time."""

    first: float
    last: float


class Sweeper:
    """Lists every kind, again and again.

    Args:
        client: lists.
        cache: is compared, and healed.
        scheduler: has everything looked at.
        watches: is told of every watch that missed nothing.
        namespaces: where it lists; is told which of them answer.
        interval: seconds between sweeps.
    """

    def __init__(
        self,
        client: KubeClient,
        cache: ObjectCache,
        scheduler: Scheduler,
        watches: WatchAges,
        namespaces: WatchedNamespaces,
        *,
        interval: float,
    ) -> None:
        self._client = client
        self._cache = cache
        self._scheduler = scheduler
        self._watches = watches
        self._namespaces = namespaces
        self._interval = interval
        self._misses: dict[str, _Misses] = {}
        self._swept_at: dict[str, float] = {}

    def watch_lags(self) -> dict[str, float]:
        """Seconds over which every sweep has found that a kind's watch missed something.

        0 if the last sweep found nothing, or was the first that did: what was missed once has been made good.
        """
        none = _Misses(first=0.0, last=0.0)
        misses = {kind.plural: self._misses.get(kind.plural, none) for kind in KINDS}
        return {plural: known.last - known.first for plural, known in misses.items()}

    def swept_at(self) -> Mapping[str, float]:
        """When the last sweep of each kind ended, in seconds since 1970. Kinds not swept yet are left out."""
        return self._swept_at

    async def catch_up(self) -> None:
        """Have the cache show what the API server holds now, or something newer.

        Raises:
            KubeError: the API server did not answer, or refused.
        """
        for kind in KINDS:
            version = await self._list_into_cache(kind, self._namespaces.scope.parts(kind))
            if version is not None:
                self._cache.note_listed(kind, version)

    async def look_again(self, namespaces: Sequence[str]) -> None:
        """List some of the namespaces, in case they can be watched, or cannot any more.

        Args:
            namespaces: of those that are named to the operator.
        """
        for kind in KINDS:
            if not kind.namespaced:
                continue
            try:
                await self._list_into_cache(kind, namespaces)
            except KubeError as error:
                logger.warning("namespaces could not be listed", plural=kind.plural, error=str(error))

    async def _list_into_cache(self, kind: Kind, namespaces: Sequence[str]) -> int | None:
        """Store what there is of a kind in some namespaces, and drop what is gone.

        Returns:
            How far the API server had come at the first of the lists; None if none was answered.
        """
        everywhere = EVERYWHERE in namespaces
        before = {
            key: body for key, body in self._known(kind).items() if everywhere or key.namespace in namespaces
        }
        versions: list[int] = []
        async for page in self._pages(kind, namespaces, before, versions):
            for body in page.objects:
                before.pop(key_of(kind, body), None)
                self._cache.store(kind, body)
            await _let_others_go_on()
        self._drop(kind, before)
        return min(versions, default=None)

    async def _pages(
        self, kind: Kind, namespaces: Sequence[str], before: dict[ObjectKey, Object], versions: list[int]
    ) -> AsyncIterator[Page]:
        """Lists of a kind, namespace after namespace.

        Args:
            kind: of the objects.
            namespaces: where they are.
            before: what was known; of a namespace that refuses it is taken out, for nobody says that it is gone.
            versions: takes the resourceVersion of each list that was answered.

        Raises:
            KubeError: the API server did not answer, or refused something else.
        """
        for namespace in namespaces:
            version = 0
            try:
                async for page in self._client.list_objects(kind, namespace):
                    version = int(page.version)
                    yield page
            except KubeError as error:
                self._namespaces.note_refused(kind, namespace, error)
                for key in [key for key in before if key.namespace == namespace]:
                    del before[key]
                continue
            versions.append(version)
            self._namespaces.note_listed(kind, namespace)

    async def run(self) -> None:
        """Sweep until cancelled."""
        named = not self._namespaces.scope.is_whole_cluster
        beside = {"closed namespaces": self._wait_for_closed_namespaces()} if named else {}
        await run_beside(self._sweep_for_ever(), beside)

    async def _wait_for_closed_namespaces(self) -> None:
        while True:
            await asyncio.sleep(CLOSED_NAMESPACE_SECONDS)
            if closed := self._namespaces.closed():
                await self.look_again(closed)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            for kind in KINDS:
                try:
                    await self.sweep(kind)
                except KubeError as error:
                    logger.warning("the sweep could not list", plural=kind.plural, error=str(error))

    async def sweep(self, kind: Kind) -> None:
        """Compare the cache with a list of one kind, and have everything looked at."""
        before, listed_before = self._known(kind), self._cache.listed(kind)
        unlisted = dict(before)
        differing: dict[ObjectKey, Object] = {}
        versions: list[int] = []
        async for page in self._pages(kind, self._namespaces.scope.parts(kind), unlisted, versions):
            for body in page.objects:
                key = key_of(kind, body)
                unlisted.pop(key, None)
                self._scheduler.inquire(key)
                known = self._cache.sight(key)
                if known is None or version_of(known) != version_of(body):
                    differing[key] = body
            await _let_others_go_on()
        if differing or unlisted:
            # A list may be ahead of a watch that is well; what it shows by itself in a moment was not missed.
            await asyncio.sleep(WATCH_GRACE_SECONDS)
        missed = self._drop(kind, unlisted)
        for key, body in differing.items():
            missed = self._make_good(kind, key, body, before.get(key)) or missed
        if versions and self._cache.listed(kind) == listed_before:
            # Else whoever came to lead meanwhile has listed later than this.
            self._cache.note_listed(kind, min(versions))
        self._note(kind, missed=missed)

    def _known(self, kind: Kind) -> dict[ObjectKey, Object]:
        return {key_of(kind, body): body for body in self._cache.sights(kind)}

    def _drop(self, kind: Kind, gone: Mapping[ObjectKey, Object]) -> bool:
        """Take what is gone out of the cache, unless the watch was faster; True if it was not."""
        removed = [
            self._cache.remove(kind, key, body["metadata"]["uid"])
            for key, body in gone.items()
            if self._cache.sight(key) is body
        ]
        return any(removed)

    def _make_good(self, kind: Kind, key: ObjectKey, body: Object, known_before: Object | None) -> bool:
        """Store what a list showed, unless the watch was faster; True if it was not."""
        if known_before is not None and self._cache.sight(key) is None:
            # Deleted since the list was made.
            return False
        if known_before is not None and self._must_be_replaced(key, body, known_before):
            self._cache.remove(kind, key, known_before["metadata"]["uid"])
        return self._cache.store(kind, body)

    def _must_be_replaced(self, key: ObjectKey, body: Object, known_before: Object) -> bool:
        """Whether what a list showed is no newer version of what was known."""
        if known_before["metadata"]["uid"] != body["metadata"]["uid"]:
            # A deletion and a creation, and the watch showed neither.
            return True
        # A list is never older than what was known before it began, unless etcd was restored from a backup.
        return self._cache.sight(key) is known_before and version_of(body) < version_of(known_before)

    def _note(self, kind: Kind, *, missed: bool) -> None:
        self._swept_at[kind.plural] = time.time()
        if not missed:
            self._watches.note_well(kind)
            self._misses.pop(kind.plural, None)
            return
        now = asyncio.get_running_loop().time()
        known = self._misses.get(kind.plural)
        self._misses[kind.plural] = _Misses(first=now if known is None else known.first, last=now)
        logger.warning("the watch had missed something", plural=kind.plural)


async def _let_others_go_on() -> None:
    await asyncio.sleep(0)
