"""One consumer for each queue that some AvatarRuntime names, coming and going with the runtimes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from pydantic import ValidationError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_RUNTIME
from avatar_operator.ingest.messages import OnHint
from avatar_operator.kube.cache import ObjectCache

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class QueueAddress:
    """An SQS queue."""

    queue_url: str
    region: str


class RunsForEver(Protocol):
    """Something that runs until it is cancelled."""

    async def run(self) -> None:
        """Run until cancelled."""
        ...


ConsumerFactory = Callable[[QueueAddress, OnHint], RunsForEver]


class QueueConsumers:
    """Keeps the consumers that the runtimes need."""

    def __init__(self, cache: ObjectCache, on_hint: OnHint, make_consumer: ConsumerFactory) -> None:
        self._cache = cache
        self._on_hint = on_hint
        self._make_consumer = make_consumer
        self._changed = asyncio.Event()
        self._changed.set()
        self._tasks: dict[QueueAddress, asyncio.Task[None]] = {}

    def runtimes_changed(self) -> None:
        """Some runtime came, changed or went."""
        self._changed.set()

    async def run(self) -> None:
        """Keep consumers running until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._adjust()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _adjust(self) -> None:
        wanted = self._wanted()
        for address in [address for address in self._tasks if address not in wanted]:
            logger.info("no runtime names this queue any more", queue_url=address.queue_url)
            self._tasks.pop(address).cancel()
        for address in wanted - self._tasks.keys():
            logger.info("listening to a queue", queue_url=address.queue_url)
            consumer = self._make_consumer(address, self._on_hint)
            self._tasks[address] = asyncio.create_task(consumer.run(), name=f"consumer-{address.queue_url}")

    def _wanted(self) -> set[QueueAddress]:
        wanted = set()
        for body in self._cache.objects(AVATAR_RUNTIME):
            try:
                sagemaker = AvatarRuntime.model_validate(body).spec.backend.sagemaker
            except ValidationError:
                # Its own reconcile says what is wrong with it.
                continue
            if sagemaker is not None:
                wanted.add(QueueAddress(sagemaker.notifications.queue_url, sagemaker.region))
        return wanted
