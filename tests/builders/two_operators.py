"""Two operators over one API server and one backend, one of which has the Lease and acts.

The other may have been caught in the middle of a pass when it lost the Lease, and ends that pass later.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from avatar_api.group import AVATAR_MODEL, Kind
from avatar_operator.kube.client import KubeError
from builders.drawing_books import CALL_SECONDS, CURRENT, DrawingBooks, Pass
from builders.world import World


class TwoOperators:
    """Both of them, and what is around them. Whatever they do, they do in one event loop; close it in the end."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.world = World()
        self.books = DrawingBooks(self.world.clock)
        self.world.backend = self.books
        self.world.crash()
        self.leader, self.standby = self.world, World(beside=self.world)
        self.caught_pass: asyncio.Task[None] | None = None
        self._caught_since: datetime | None = None

    def look_at(self, kind: Kind) -> None:
        """One pass of the leader over the one object of a kind."""
        # The queue would back off and come again; here the next rule does.
        with contextlib.suppress(KubeError):
            self.run(self._as_leader(self.leader.look_at(kind)))

    def train(self) -> None:
        """Let the model's training succeed, if there is one to be trained."""
        for _ in range(3):
            self.look_at(AVATAR_MODEL)
        model = self.world.model if self.world.kube.exists(AVATAR_MODEL, "ann") else None
        if model is not None and model.metadata.deletion_timestamp is None:
            with contextlib.suppress(KubeError, AssertionError):
                self.run(self._as_leader(self.leader.train()))

    def fail_over(self) -> None:
        """Have the other one lead. Whoever has lost the Lease ends its process, unless it is in the middle of a pass."""
        self.leader, self.standby = self.standby, self.leader
        if self.caught_pass is None:
            self.do(self.standby.crash)

    def catch_a_pass_over(self, kind: Kind) -> None:
        """Begin a pass that is caught at its first call of the backend, if it makes one."""
        self.books.catch_next = True
        self.run(self._until_caught(kind))
        self.books.catch_next = False

    def let_the_caught_pass_end(self) -> None:
        """Release the pass that is caught, if there is one; the process that made it ends after it."""
        if self.caught_pass is None:
            return
        self.books.released.set()
        self.run(_ended(self.caught_pass))
        self.caught_pass, self._caught_since = None, None
        self.do(self.standby.crash)

    def watch_again(self) -> None:
        """Have both see what there is, and what is gone."""
        for world in (self.leader, self.standby):
            world.watching = True
            self.do(world.catch_up)

    def advance(self, seconds: int) -> None:
        """Let time pass; calls end when they have to."""
        until = self.world.clock.now() + timedelta(seconds=seconds)
        if self._caught_since is not None and until - self._caught_since >= timedelta(seconds=CALL_SECONDS):
            self.let_the_caught_pass_end()
        self.world.clock.advance(seconds)
        self.books.late_pictures_come(all_of_them=False)

    def do(self, change: Callable[[], object]) -> None:
        """Change something where the watch is heard: in the loop."""

        async def changed() -> None:
            change()

        self.run(changed())

    def run(self, story: Coroutine[Any, Any, Any]) -> None:
        """Run something in the loop."""
        self._runner.run(story)

    def close(self) -> None:
        """End the loop."""
        self._runner.close()

    async def _as_leader(self, story: Coroutine[Any, Any, Any]) -> None:
        CURRENT.set(Pass(self.leader))
        await story

    async def _until_caught(self, kind: Kind) -> None:
        self.books.caught.clear()
        self.books.released.clear()
        task = asyncio.create_task(self._caught_pass(kind))
        caught = asyncio.create_task(self.books.caught.wait())
        await asyncio.wait([task, caught], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            caught.cancel()
            await task
        else:
            self.caught_pass, self._caught_since = task, self.world.clock.now()

    async def _caught_pass(self, kind: Kind) -> None:
        with contextlib.suppress(KubeError):
            await self._as_leader(self.leader.look_at(kind))


async def _ended(task: asyncio.Task[None]) -> None:
    await task
