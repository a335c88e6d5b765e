"""The sweeper: now and then, everything is compared with the API server, whatever the watch has said.

It heals what a watch can lose (deletions across a reconnect, above all), brings every object back for its deadlines,
and asks once for the outcome of every attempt that runs, in case a notification was lost. It is also what liveness
rests on: a watch is alive if the cache is no older than what a list shows.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from avatar_api.group import AVATAR_MODEL, KINDS, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import KubeClient, KubeError, Object
from avatar_operator.scheduling import Scheduler

logger = structlog.get_logger(__name__)

WATCH_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class _Misses:
    """The first and the last of the sweeps in a row that found something missed, in the loop's time."""

    first: float
    last: float


class Sweeper:
    """Lists every kind, again and again."""

    def __init__(
        self,
        client: KubeClient,
        cache: ObjectCache,
        scheduler: Scheduler,
        *,
        interval: float,
        ask_for_outcome: Callable[[ObjectKey], None],
    ) -> None:
        self._client = client
        self._cache = cache
        self._scheduler = scheduler
        self._interval = interval
        self._ask_for_outcome = ask_for_outcome
        self._misses: dict[str, _Misses] = {}

    def watch_lags(self) -> dict[str, float]:
        """Seconds over which every sweep has found that a kind's watch missed something.

        0 if the last sweep found nothing, or was the first that did: what was missed once has been made good.
        """
        none = _Misses(first=0.0, last=0.0)
        misses = {kind.plural: self._misses.get(kind.plural, none) for kind in KINDS}
        return {plural: known.last - known.first for plural, known in misses.items()}

    async def fill_cache(self) -> None:
        """Know everything before anything is decided.

        Raises:
            KubeError: the API server did not answer, or refused.
        """
        for kind in KINDS:
            for body in await self._client.list_objects(kind):
                self._scheduler.seen(kind, body, deleted=False)

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
        known_before = {key: self._cache.get(key) for key in self._cache.keys(kind)}
        listed = {key_of(kind, body): body for body in await self._client.list_objects(kind)}
        if self._differs(kind, listed):
            # A list may be ahead of a watch that is well; what it shows by itself in a moment was not missed.
            await asyncio.sleep(WATCH_GRACE_SECONDS)
        missed = False
        for key, body in known_before.items():
            if key not in listed and body is not None and self._cache.get(key) is body:
                missed = True
                self._scheduler.seen(kind, body, deleted=True)
        for key, body in listed.items():
            known = known_before.get(key)
            if known is not None and self._cache.get(key) is None:
                # Deleted since the list was made.
                continue
            # Another uid under the same name: a deletion and a creation, and the watch showed neither.
            if known is not None and known["metadata"]["uid"] != body["metadata"]["uid"]:
                self._scheduler.seen(kind, known, deleted=True)
            missed = self._cache.store(kind, body) or missed
            if kind == AVATAR_MODEL:
                self._ask_for_outcome(key)
            self._scheduler.enqueue(key)
        self._note(kind, missed=missed)

    def _differs(self, kind: Kind, listed: Mapping[ObjectKey, Object]) -> bool:
        cached = {key_of(kind, body): _version(body) for body in self._cache.objects(kind)}
        return cached != {key: _version(body) for key, body in listed.items()}

    def _note(self, kind: Kind, *, missed: bool) -> None:
        if not missed:
            self._misses.pop(kind.plural, None)
            return
        now = asyncio.get_running_loop().time()
        known = self._misses.get(kind.plural)
        self._misses[kind.plural] = _Misses(first=now if known is None else known.first, last=now)
        logger.warning("the watch had missed something", plural=kind.plural)


def _version(body: Object) -> str:
    return str(body["metadata"]["resourceVersion"])
