"""Sources of hints: each runs once for as long as some runtime has it, whoever brought the news of that runtime."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.compute import HintSource
from avatar_operator.backends.failures import BackendError
from avatar_operator.ingest.consumers import HintConsumers
from avatar_operator.ingest.messages import HintOutcome, OnHint
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from builders.backend import ScriptedBackend, backends_of
from builders.manifests import merged, model_manifest, runtime_manifest


@dataclass(frozen=True)
class Radio:
    """A source that counts how often it runs."""

    name: str
    running: Counter[str] = field(compare=False)

    async def run(self, on_hint: OnHint) -> None:
        self.running[self.name] += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running[self.name] -= 1


class Studio(ScriptedBackend):
    """A backend whose runtimes have the sources that the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.running: Counter[str] = Counter()
        self.sources: dict[str, list[str]] = {}

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        names = self.sources[runtime.metadata.name]
        if "broken" in names:
            raise BackendError("UnsupportedBackend", "nobody knows it", retryable=False)
        return frozenset(Radio(name, self.running) for name in names)


def _runtime(name: str, version: int = 1) -> Object:
    identity = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return merged(runtime_manifest(), {"metadata": identity})


class Desk:
    """Consumers over a cache."""

    def __init__(self) -> None:
        self.cache = ObjectCache()
        self.studio = Studio()
        self.consumers = HintConsumers(self.cache, backends_of(self.studio), lambda hint: HintOutcome.TAKEN)

    async def heard(self) -> dict[str, int]:
        """The sources that run, once everything has come to rest."""
        for _ in range(5):
            await asyncio.sleep(0)
        return {name: count for name, count in self.studio.running.items() if count}


@pytest.fixture
async def desk() -> Desk:
    """Nothing is known yet."""
    return Desk()


async def test_a_runtime_that_only_a_list_has_shown_is_listened_to(desk: Desk) -> None:
    listening = asyncio.create_task(desk.consumers.run())
    assert await desk.heard() == {}
    desk.studio.sources = {"a": ["queue-a"]}

    desk.cache.store(AVATAR_RUNTIME, _runtime("a"))

    assert await desk.heard() == {"queue-a": 1}
    assert desk.consumers.running() == 1
    listening.cancel()


async def test_runtimes_that_share_a_source_share_its_listener(desk: Desk) -> None:
    desk.studio.sources = {"a": ["queue"], "b": ["queue"]}
    desk.cache.store(AVATAR_RUNTIME, _runtime("a"))
    desk.cache.store(AVATAR_RUNTIME, _runtime("b"))
    listening = asyncio.create_task(desk.consumers.run())
    assert await desk.heard() == {"queue": 1}

    desk.cache.remove(AVATAR_RUNTIME, ObjectKey("AvatarRuntime", "", "a"), "uid-a")
    assert await desk.heard() == {"queue": 1}
    desk.cache.remove(AVATAR_RUNTIME, ObjectKey("AvatarRuntime", "", "b"), "uid-b")

    assert await desk.heard() == {}
    assert desk.consumers.running() == 0
    listening.cancel()


async def test_a_runtime_that_names_another_source_is_listened_to_there(desk: Desk) -> None:
    desk.studio.sources = {"a": ["old"]}
    desk.cache.store(AVATAR_RUNTIME, _runtime("a"))
    listening = asyncio.create_task(desk.consumers.run())
    await desk.heard()
    desk.studio.sources = {"a": ["new"]}

    desk.cache.store(AVATAR_RUNTIME, _runtime("a", 2))

    assert await desk.heard() == {"new": 1}
    listening.cancel()


async def test_a_runtime_that_nobody_understands_does_not_silence_the_others(desk: Desk) -> None:
    desk.studio.sources = {"a": ["broken"], "b": ["queue-b"]}
    desk.cache.store(AVATAR_RUNTIME, _runtime("a"))
    desk.cache.store(AVATAR_RUNTIME, _runtime("b"))
    listening = asyncio.create_task(desk.consumers.run())

    assert await desk.heard() == {"queue-b": 1}
    listening.cancel()


async def test_a_runtime_of_another_version_does_not_silence_the_others(desk: Desk) -> None:
    desk.studio.sources = {"a": ["queue-a"], "b": ["queue-b"]}
    desk.cache.store(AVATAR_RUNTIME, merged(_runtime("a"), {"spec": {"managementPolicy": "Admire"}}))
    desk.cache.store(AVATAR_RUNTIME, _runtime("b"))
    listening = asyncio.create_task(desk.consumers.run())

    assert await desk.heard() == {"queue-b": 1}
    listening.cancel()


async def test_a_change_of_something_else_asks_for_no_sources(desk: Desk) -> None:
    listening = asyncio.create_task(desk.consumers.run())
    await desk.heard()
    desk.studio.sources = {"a": ["queue-a"]}
    model = merged(model_manifest(), {"metadata": {"uid": "m", "resourceVersion": "1"}})

    desk.cache.store(AVATAR_MODEL, model)

    assert await desk.heard() == {}
    assert not listening.done()
    listening.cancel()


async def test_who_stops_listening_stops_every_listener(desk: Desk) -> None:
    desk.studio.sources = {"a": ["one", "two"]}
    desk.cache.store(AVATAR_RUNTIME, _runtime("a"))
    listening = asyncio.create_task(desk.consumers.run())
    assert await desk.heard() == {"one": 1, "two": 1}

    listening.cancel()
    await asyncio.wait([listening])

    assert await desk.heard() == {}
    assert desk.consumers.running() == 0
