"""Sources of hints come and go with the runtimes that have them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_RUNTIME
from avatar_operator.backends.compute import HintSource
from avatar_operator.ingest.consumers import HintConsumers
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from builders.backend import ScriptedBackend, backends_of
from builders.manifests import merged, runtime_manifest


class Source:
    """A source of hints that remembers how it fared, known by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = 0
        self.on_hint: Any = None
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    async def run(self, on_hint: Any) -> None:
        """See HintSource."""
        self.runs += 1
        self.on_hint = on_hint
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()


class Listening(ScriptedBackend):
    """A backend where the region of a runtime is the name of its only source."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: dict[str, Source] = {}

    def source(self, name: str) -> Source:
        """The source of a name."""
        return self.sources.setdefault(name, Source(name))

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute."""
        assert runtime.spec.backend.sagemaker is not None
        source = self.source(runtime.spec.backend.sagemaker.region)
        # One that runs is asked for again and again: whatever equals it is the same.
        return frozenset({Source(source.name) if source.runs else source})


class Desk:
    """Consumers that run, and the runtimes they follow."""

    def __init__(self) -> None:
        self.cache = ObjectCache()
        self.backend = Listening()
        self.consumers = HintConsumers(self.cache, backends_of(self.backend), self.take)
        self.version = 0

    def take(self, hint: Any) -> Any:
        """Never called: only its identity matters."""

    def see(self, name: str, **spec: Any) -> None:
        """A runtime came or changed."""
        self.version += 1
        metadata = {"uid": f"uid-{name}", "resourceVersion": str(self.version)}
        body = merged(runtime_manifest(name=name, spec=spec), {"metadata": metadata})
        self.cache.store(AVATAR_RUNTIME, body)
        self.consumers.runtimes_changed()

    def see_on(self, name: str, region: str) -> None:
        """A runtime came or changed, with this source."""
        self.see(name, backend={"sagemaker": {"region": region}})

    def lose(self, name: str) -> None:
        """A runtime went."""
        self.cache.remove(AVATAR_RUNTIME, ObjectKey(AVATAR_RUNTIME.kind, "", name), f"uid-{name}")
        self.consumers.runtimes_changed()

    async def source(self, name: str) -> Source:
        """A source, once it runs."""
        source = self.backend.source(name)
        async with asyncio.timeout(10):
            await source.started.wait()
        return source


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    running = asyncio.create_task(desk.consumers.run())
    yield desk
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_source_is_listened_to_and_its_hints_are_handed_on(desk: Desk) -> None:
    desk.see_on("first", "eu-west-1")

    source = await desk.source("eu-west-1")

    assert source.on_hint == desk.take


async def test_runtimes_that_share_a_source_have_one_listener(desk: Desk) -> None:
    desk.see_on("first", "eu-west-1")
    source = await desk.source("eu-west-1")
    desk.see_on("second", "eu-west-1")
    desk.see_on("third", "eu-west-2")
    await desk.source("eu-west-2")

    assert source.runs == 1
    assert not source.stopped.is_set()


async def test_a_source_is_left_when_the_last_runtime_with_it_goes(desk: Desk) -> None:
    desk.see_on("first", "eu-west-1")
    desk.see_on("second", "eu-west-1")
    source = await desk.source("eu-west-1")
    desk.lose("first")
    desk.see_on("third", "eu-west-2")
    await desk.source("eu-west-2")
    assert not source.stopped.is_set()

    desk.lose("second")

    async with asyncio.timeout(10):
        await source.stopped.wait()


async def test_a_runtime_that_names_another_source_moves(desk: Desk) -> None:
    desk.see_on("first", "eu-west-1")
    before = await desk.source("eu-west-1")

    desk.see_on("first", "eu-west-2")

    await desk.source("eu-west-2")
    async with asyncio.timeout(10):
        await before.stopped.wait()


@pytest.mark.parametrize(
    "spec",
    [{"backend": {"sagemaker": None, "quantum": {}}}, {"storage": None}],
    ids=["of an unknown backend", "unreadable"],
)
async def test_a_runtime_that_nobody_understands_keeps_no_other_from_being_heard(
    desk: Desk, spec: dict[str, Any]
) -> None:
    desk.see("strange", **spec)
    desk.see_on("first", "eu-west-1")

    assert (await desk.source("eu-west-1")).runs == 1


async def test_whoever_stops_listening_stops_every_source() -> None:
    desk = Desk()
    running = asyncio.create_task(desk.consumers.run())
    desk.see_on("first", "eu-west-1")
    source = await desk.source("eu-west-1")

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert source.stopped.is_set()
