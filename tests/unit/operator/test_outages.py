"""An hour without the API server, without S3, without the queue: afterwards all goes on, and nothing was paid for twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.compute import HintSource
from builders.backend import backends_of
from builders.manifests import WITH_TOPIC, model_manifest, request_manifest, runtime_manifest
from builders.queue_in_memory import QueueInMemory
from builders.training_books import TrainingBooks
from builders.whole_operator import LoopClock, Surroundings, in_virtual_time, until

HOUR = 3600
PATIENT = {"limits": {"inference": {"queueDeadlineSeconds": 4 * HOUR, "activeDeadlineSeconds": 2 * HOUR}}}
"""A change to a runtime's spec: an hour is no reason to give a request up."""
MODELS = 6
LAST_MOMENTS = 30.0
TRAINING_SECONDS = 20.0
A_MINUTE = 60.0
A_MOMENT = 3.0
"""Until a worker looks at its queue, and to draw."""
STORAGE = {
    "list_photos",
    "write_request",
    "read_request",
    "fence_attempt",
    "revoke_claim",
    "claimed_since",
    "attempt_outcome",
    "examine_artifact",
    "existing_pictures",
    "describe_pictures",
    "delete_model_data",
    "delete_request_data",
    "holds_request_data",
    "delete_owned",
}
"""What S3 is asked for, outcomes of trainings included."""


class Books(TrainingBooks):
    """A backend with a queue, and workers that train whatever waits."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self.queue = QueueInMemory()

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute."""
        return frozenset({self.queue})

    async def work(self) -> None:
        """Train whatever waits, for ever."""
        async with asyncio.TaskGroup() as workers:
            while True:
                waiting = [
                    attempt for attempt in self.attempts.values() if attempt.accepted and not attempt.claim
                ]
                for _ in waiting:
                    self.worker_takes_the_next()
                    workers.create_task(self._train())
                await asyncio.sleep(1)

    async def _train(self) -> None:
        await asyncio.sleep(TRAINING_SECONDS)
        name = next(
            name for name, attempt in self.attempts.items() if attempt.claim == "Worker" and not attempt.end
        )
        self.worker_ends("ok")
        self.queue.tell_of_the_end(name)

    def paid(self) -> Counter[str]:
        """How many trainings workers began, by model."""
        return Counter(attempt.uid for attempt in self.attempts.values() if attempt.claimed is not None)


class Flight:
    """Models that are trained and requests that wait for them, beside two replicas."""

    def __init__(self) -> None:
        clock = LoopClock()
        self.books = Books(clock)
        self.around = Surroundings(backends_of(self.books), clock)
        self.names: list[str] = []

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[Self]:
        """From when everything was applied until the end."""
        async with self.around.with_replicas():
            self.around.kube.create(AVATAR_RUNTIME, runtime_manifest(spec={**WITH_TOPIC, **PATIENT}))
            for number in range(MODELS):
                self.apply(f"m{number}")
            working = asyncio.create_task(self.books.work())
            try:
                yield self
            finally:
                working.cancel()

    def apply(self, name: str) -> None:
        """A model, and a request for it."""
        self.names.append(name)
        self.around.kube.create(AVATAR_MODEL, model_manifest(name=name))
        self.around.kube.create(
            AVATAR_REQUEST, request_manifest(name=name, spec={"modelRef": {"name": name}})
        )

    async def ends_well(self) -> None:
        """Everything goes on within a minute, ends when it has been trained, and was paid for once."""
        await until(self._all_done, within=A_MINUTE + TRAINING_SECONDS + A_MOMENT)
        assert set(self.books.paid().values()) == {1}
        assert len(self.books.paid()) == len(self.names)
        told = Counter(
            id_ for type_, id_ in self.around.announcer.told() if type_.endswith("model.ready.v1alpha1")
        )
        assert len(told) == len(self.names)

    def _all_done(self) -> bool:
        return {self._states_of(name) for name in self.names} == {("Ready", "Succeeded")}

    def _states_of(self, name: str) -> tuple[str, ...]:
        bodies = [self.around.kube.read(kind, name) for kind in (AVATAR_MODEL, AVATAR_REQUEST)]
        return tuple(body.get("status", {}).get("state", "") for body in bodies)


MOMENTS = pytest.mark.parametrize("seconds", [0.0, 0.03, 0.3, 1.3, 20.5, 21.5, 90.0])
"""When the outage begins, after everything was applied."""


@MOMENTS
def test_an_hour_without_the_api_server(seconds: float) -> None:
    async def story() -> None:
        async with Flight().under_way() as flight:
            await asyncio.sleep(seconds)
            flight.around.kube.go_away()
            await asyncio.sleep(HOUR)
            flight.around.kube.come_back()
            await flight.ends_well()

    in_virtual_time(story())


@MOMENTS
def test_an_hour_without_s3(seconds: float) -> None:
    async def story() -> None:
        async with Flight().under_way() as flight:
            await asyncio.sleep(seconds)
            flight.books.out |= STORAGE
            await asyncio.sleep(HOUR - LAST_MOMENTS)
            flight.apply("late")
            await asyncio.sleep(LAST_MOMENTS)
            flight.books.out.clear()
            await flight.ends_well()

    in_virtual_time(story())


@MOMENTS
def test_an_hour_without_the_queue(seconds: float) -> None:
    async def story() -> None:
        async with Flight().under_way() as flight:
            await asyncio.sleep(seconds)
            flight.books.queue.is_away = True
            await asyncio.sleep(HOUR - LAST_MOMENTS)
            flight.apply("late")
            await asyncio.sleep(LAST_MOMENTS)
            flight.books.queue.is_away = False
            await flight.ends_well()

    in_virtual_time(story())
