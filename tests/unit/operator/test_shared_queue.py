"""Two installations that share one queue: each gets its own news within seconds, though either receives the other's."""

import asyncio

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.compute import HintSource
from builders.backend import backends_of
from builders.manifests import model_manifest, runtime_manifest
from builders.queue_in_memory import QueueInMemory
from builders.training_books import TrainingBooks
from builders.whole_operator import LoopClock, Surroundings, in_virtual_time, until

MODELS = 20
SOON = 10.0


class Books(TrainingBooks):
    """A backend whose news come by a queue."""

    def __init__(self, clock: LoopClock, queue: QueueInMemory) -> None:
        super().__init__(clock)
        self._queue = queue

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute."""
        return frozenset({self._queue})

    def train_one(self) -> None:
        """Train what waits first, and say so."""
        self.worker_takes_the_next()
        name = next(
            name for name, attempt in self.attempts.items() if attempt.claim == "Worker" and not attempt.end
        )
        self.worker_ends("ok")
        self._queue.tell_of_the_end(name)


class Installation:
    """A cluster of its own, with models that are being trained.

    Args:
        queue: is read by others, too.
    """

    def __init__(self, queue: QueueInMemory) -> None:
        clock = LoopClock()
        self.books = Books(clock, queue)
        self.around = Surroundings(backends_of(self.books), clock)
        self.around.kube.create(AVATAR_RUNTIME, runtime_manifest())
        for number in range(MODELS):
            self.around.kube.create(AVATAR_MODEL, model_manifest(name=f"m{number}"))

    def ready(self) -> int:
        """How many models are ready."""
        bodies = [body for kind, body in self.around.kube.everything() if kind == AVATAR_MODEL]
        return sum(body["status"]["state"] == "Ready" for body in bodies)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("at_once", [1, MODELS])
def test_each_installation_hears_within_seconds_of_what_has_ended(seed: int, at_once: int) -> None:
    async def story() -> None:
        queue = QueueInMemory(seed)
        one, other = Installation(queue), Installation(queue)
        async with one.around.with_replicas(1), other.around.with_replicas(1):
            await asyncio.sleep(5)
            for ended in range(at_once, MODELS + 1, at_once):
                for _ in range(at_once):
                    one.books.train_one()
                    other.books.train_one()
                await until(lambda count=ended: one.ready() == other.ready() == count, within=SOON)  # type: ignore[misc]

            assert len(queue) == 0

    in_virtual_time(story())
