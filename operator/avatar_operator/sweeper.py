"""The sweeper: now and then, everything is compared with the API server, whatever the watch has said.

It heals what a watch can lose (deletions across a reconnect, above all), brings every object back for its deadlines,
and asks once for the outcome of every attempt that runs, in case a notification was lost. It is also what liveness
rests on: a watch is alive if the cache is no older than what a list shows.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from avatar_api.group import AVATAR_MODEL, KINDS, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import KubeClient, KubeError
from avatar_operator.scheduling import Scheduler

logger = structlog.get_logger(__name__)


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
        self._missed_since: dict[str, float] = {}

    def watch_lags(self) -> dict[str, float]:
        """Seconds since each kind's watch was first found to have missed something; 0 if it has not."""
        now = time.monotonic()
        return {
            kind.plural: now - self._missed_since[kind.plural] if kind.plural in self._missed_since else 0.0
            for kind in KINDS
        }

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
        missed = False
        for key, body in known_before.items():
            if key not in listed and body is not None and self._cache.get(key) is body:
                missed = True
                self._scheduler.seen(kind, body, deleted=True)
        for key, body in listed.items():
            # Another uid under the same name: a deletion and a creation, and the watch showed neither.
            known = known_before.get(key)
            if known is not None and known["metadata"]["uid"] != body["metadata"]["uid"]:
                self._scheduler.seen(kind, known, deleted=True)
            if self._cache.store(kind, body):
                missed = missed or known is not None
            if kind == AVATAR_MODEL:
                self._ask_for_outcome(key)
            self._scheduler.enqueue(key)
        self._note(kind, missed=missed)

    def _note(self, kind: Kind, *, missed: bool) -> None:
        if not missed:
            self._missed_since.pop(kind.plural, None)
        elif kind.plural not in self._missed_since:
            logger.warning("the watch had missed something", plural=kind.plural)
            self._missed_since[kind.plural] = time.monotonic()
