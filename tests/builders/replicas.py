"""Replicas that have an elector and nothing else, in virtual time."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from avatar_operator.kube.client import KubeError, Object
from avatar_operator.kube.election import Elector
from avatar_operator.kube.leadership import Leadership
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.virtual_time import VirtualTimeLoop

LEASE = 15
LONGEST_STORY_SECONDS = 10_000.0


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    """Tell a story, which has an end."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(asyncio.wait_for(story, LONGEST_STORY_SECONDS))


class Cut:
    """A connection to the API server that a test can cut."""

    def __init__(self, kube: FakeKubeClient) -> None:
        self._kube = kube
        self.cut = False
        self.silent = False
        self.seconds = 0.0

    async def read_lease(self, namespace: str, name: str) -> Object:
        await self._pass()
        return await self._kube.read_lease(namespace, name)

    async def write_lease(self, lease: Object) -> Object:
        await self._pass()
        return await self._kube.write_lease(lease)

    async def _pass(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.silent:
            await asyncio.Event().wait()
        if self.cut:
            raise KubeError("no answer", status=0)


class Replica:
    """An elector, and what it sees."""

    def __init__(self, kube: FakeKubeClient, name: str, left: Mapping[str, str] | None = None) -> None:
        self.connection = Cut(kube)
        self.left = dict(left or {})
        self.leadership = Leadership(LEASE, now=now)
        self.elector = Elector(
            self.connection,  # type: ignore[arg-type]
            self.leadership,
            FakeClock(),
            namespace="home",
            identity=name,
            lease_seconds=LEASE,
            annotations=lambda: self.left,
        )
        self.stop = asyncio.Event()
        self.renewing: asyncio.Task[None] | None = None

    async def lead(self) -> Mapping[str, str] | None:
        """Come to lead, and renew."""
        found = await self.elector.acquire(self.stop)
        self.renewing = asyncio.create_task(self.elector.hold())
        return found

    async def die(self) -> None:
        """End as SIGKILL does: without a word."""
        assert self.renewing is not None
        self.renewing.cancel()
        await asyncio.wait([self.renewing])

    async def hand_over(self) -> None:
        """End as SIGTERM does."""
        await self.die()
        await self.elector.release()
