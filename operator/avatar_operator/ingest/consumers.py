"""One listener for each source of hints that some AvatarRuntime has, coming and going with the runtimes.

What the sources are is the backends' business: an SQS queue, a watch, nothing at all.
"""

import asyncio

import structlog
from pydantic import ValidationError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_RUNTIME, Kind
from avatar_operator.backends.compute import HintSource
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backends
from avatar_operator.ingest.messages import OnHint
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object

logger = structlog.get_logger(__name__)


class HintConsumers:
    """Keeps the sources running that the runtimes need.

    Args:
        cache: the runtimes; whoever brings a change of them, the sources follow.
        backends: know the sources of each.
        on_hint: takes what they tell; must not block.
    """

    def __init__(self, cache: ObjectCache, backends: Backends, on_hint: OnHint) -> None:
        self._cache = cache
        self._backends = backends
        self._on_hint = on_hint
        self._changed = asyncio.Event()
        self._changed.set()
        self._tasks: dict[HintSource, asyncio.Task[None]] = {}
        cache.subscribe(self._seen)

    def running(self) -> int:
        """How many sources run."""
        return sum(not task.done() for task in self._tasks.values())

    async def run(self) -> None:
        """Keep sources running until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._adjust()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _seen(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if kind == AVATAR_RUNTIME:
            self._changed.set()

    def _adjust(self) -> None:
        wanted = self._wanted()
        for source in [source for source in self._tasks if source not in wanted]:
            logger.info("no runtime has this source of hints any more", source=str(source))
            self._tasks.pop(source).cancel()
        for source in wanted - self._tasks.keys():
            logger.info("listening for hints", source=str(source))
            self._tasks[source] = asyncio.create_task(source.run(self._on_hint), name=f"hints-{source}")

    def _wanted(self) -> set[HintSource]:
        wanted: set[HintSource] = set()
        for body in self._cache.objects(AVATAR_RUNTIME):
            try:
                runtime = AvatarRuntime.model_validate(body)
                wanted |= self._backends.of(runtime).compute.hint_sources(runtime)
            except (ValidationError, BackendError):
                # Its own reconcile says what is wrong with it.
                continue
        return wanted
