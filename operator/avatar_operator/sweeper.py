"""The sweeper: now and then, everything is compared with the API server, whatever the watch has said.

It heals what a watch can lose (deletions across a reconnect, above all), brings every object back for its deadlines,
and asks once for the outcome of every attempt that runs, in case a notification was lost. It is also what liveness
rests on: a watch is alive if the cache is no older than what a list shows. A replica that stands by sweeps as well, so that its
cache is true when it comes to lead; the scheduler and the lifecycles see to it that nothing is done there.

Objects are compared a page at a time, and only those that differ are held until the end.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from avatar_api.group import KINDS, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of, version_of
from avatar_operator.kube.client import KubeClient, KubeError, Object
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.reconciling.scheduling import Scheduler

logger = structlog.get_logger(__name__)

WATCH_GRACE_SECONDS = 5.0


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
        interval: seconds between sweeps.
    """

    def __init__(
        self,
        client: KubeClient,
        cache: ObjectCache,
        scheduler: Scheduler,
        watches: WatchAges,
        *,
        interval: float,
    ) -> None:
        self._client = client
        self._cache = cache
        self._scheduler = scheduler
        self._watches = watches
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
            before, version = self._known(kind), 0
            async for page in self._client.list_objects(kind):
                version = int(page.version)
                for body in page.objects:
                    before.pop(key_of(kind, body), None)
                    self._cache.store(kind, body)
                await _let_others_go_on()
            self._drop(kind, before)
            self._cache.note_listed(kind, version)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            for kind in KINDS:
                try:
                    await self.sweep(kind)
                except KubeError as error:
                    logger.warning("the sweep could not list", plural=kind.plural, error=str(error))

    async def sweep(self, kind: Kind) -> None:
        """Compare the cache with a list of one kind, and have everything looked at."""
        before, version, listed_before = self._known(kind), 0, self._cache.listed(kind)
        unlisted = dict(before)
        differing: dict[ObjectKey, Object] = {}
        async for page in self._client.list_objects(kind):
            version = int(page.version)
            for body in page.objects:
                key = key_of(kind, body)
                unlisted.pop(key, None)
                self._scheduler.inquire(key)
                known = self._cache.get(key)
                if known is None or version_of(known) != version_of(body):
                    differing[key] = body
            await _let_others_go_on()
        if differing or unlisted:
            # A list may be ahead of a watch that is well; what it shows by itself in a moment was not missed.
            await asyncio.sleep(WATCH_GRACE_SECONDS)
        missed = self._drop(kind, unlisted)
        for key, body in differing.items():
            missed = self._make_good(kind, key, body, before.get(key)) or missed
        if self._cache.listed(kind) == listed_before:
            # Else whoever came to lead meanwhile has listed later than this.
            self._cache.note_listed(kind, version)
        self._note(kind, missed=missed)

    def _known(self, kind: Kind) -> dict[ObjectKey, Object]:
        return {key_of(kind, body): body for body in self._cache.objects(kind)}

    def _drop(self, kind: Kind, gone: Mapping[ObjectKey, Object]) -> bool:
        """Take what is gone out of the cache, unless the watch was faster; True if it was not."""
        removed = [
            self._cache.remove(kind, key, body["metadata"]["uid"])
            for key, body in gone.items()
            if self._cache.get(key) is body
        ]
        return any(removed)

    def _make_good(self, kind: Kind, key: ObjectKey, body: Object, known_before: Object | None) -> bool:
        """Store what a list showed, unless the watch was faster; True if it was not."""
        if known_before is not None and self._cache.get(key) is None:
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
        return self._cache.get(key) is known_before and version_of(body) < version_of(known_before)

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
