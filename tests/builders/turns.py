"""Passes that are stopped in the middle: a process that sleeps between two of its effects while another one leads.

Whatever a pass does to the outside world waits for its turn first. A test that sets a gate in the pass's own context can
hold it before its first effect, its second, and so on, and let it go on when the world has changed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from avatar_api.group import Kind
from avatar_operator.kube.client import Object
from builders.kube import FakeKubeClient


class Gate:
    """Lets a number of effects through, and holds the next one until it is opened."""

    def __init__(self, effects: int) -> None:
        self._left = effects
        self._open = asyncio.Event()

    def open(self) -> None:
        """Let everything through."""
        self._open.set()

    async def pass_through(self) -> None:
        """Go on, as soon as that is allowed."""
        self._left -= 1
        if self._left < 0:
            await self._open.wait()


GATE: ContextVar[Gate | None] = ContextVar("the gate of this pass", default=None)


async def turn() -> None:
    """Wait until the pass that calls may have its next effect."""
    gate = GATE.get()
    if gate is not None:
        await gate.pass_through()


class TakingTurns(FakeKubeClient):
    """An API server in memory whose every write waits for its turn."""

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """See KubeClient."""
        await turn()
        return await super().apply_status(kind, observed, status)

    async def set_finalizers(self, kind: Kind, observed: Object, finalizers: Sequence[str]) -> Object:
        """See KubeClient."""
        await turn()
        return await super().set_finalizers(kind, observed, finalizers)

    async def delete(self, kind: Kind, observed: Object) -> None:
        """See KubeClient."""
        await turn()
        await super().delete(kind, observed)
