"""Whole operators in virtual time: every loop, queue, timer and election, over an API server and a backend that are fakes.

What is not there is what has a thread or a socket: kopf (the fake API server tells what happens) and the metrics' port.
A replica that ends is started again as the kubelet does it: after ten seconds, then after twice as long, up to five minutes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from prometheus_client import CollectorRegistry

from avatar_api.group import Kind
from avatar_operator.backends.selection import Backends
from avatar_operator.errors import StartUpError
from avatar_operator.kube.client import KubeClient, KubeError, Object
from avatar_operator.kube.leadership import Leadership
from avatar_operator.operator import Operator
from avatar_operator.settings import OperatorSettings
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders.clock import NOON
from builders.kube import FakeKubeClient
from builders.virtual_time import VirtualTimeLoop
from builders.world import RecordingAnnouncer

WATCH_SECONDS = 0.02
FIRST_RESTART_SECONDS = 10.0
LONGEST_RESTART_SECONDS = 300.0
LONGEST_STORY_SECONDS = 100_000.0
LOOK_SECONDS = 0.5


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    """Tell a story, which has an end."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(asyncio.wait_for(story, LONGEST_STORY_SECONDS))


def now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


async def until(holds: Callable[[], bool], *, within: float) -> float:
    """Wait for something; the seconds that it took are returned."""
    began = now()
    while not holds():
        assert now() - began < within, f"not so after {within} s"
        await asyncio.sleep(LOOK_SECONDS)
    return now() - began


class LoopClock:
    """The operator's Clock, which goes with the virtual time, and which somebody may have set wrong.

    Attributes:
        off_by: seconds that it is wrong.
    """

    off_by = 0.0

    def now(self) -> datetime:
        """See Clock."""
        return NOON + timedelta(seconds=now() + self.off_by)


class ApiServer(FakeKubeClient):
    """An API server that may be away. Whoever watches then sees nothing, and everything anew when it is back."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self.is_away = False

    def go_away(self) -> None:
        """Answer nobody."""
        self.is_away = True

    def come_back(self) -> None:
        """Answer again; watches begin anew with a list."""
        self.is_away = False
        for kind, body in self.everything():
            self._show(kind, body, gone=False)

    def _show(self, kind: Kind, body: Object, *, gone: bool) -> None:
        if not self.is_away:
            super()._show(kind, body, gone=gone)

    def _strike(self, verb: str, *, after: bool) -> None:
        if self.is_away:
            raise KubeError("no answer", status=0)
        super()._strike(verb, after=after)


class Surroundings:
    """What all replicas have around them.

    Args:
        backends: keep, train and draw.
        clock: the operator's.
        api_server: what objects are kept by.
    """

    def __init__(self, backends: Backends, clock: LoopClock, api_server: type[ApiServer] = ApiServer) -> None:
        self.clock = clock
        self.kube = api_server(clock)
        self.backends = backends
        self.announcer = RecordingAnnouncer()

    @contextlib.asynccontextmanager
    async def with_replicas(self, count: int = 2) -> AsyncIterator[list["Replica"]]:
        """Have some replicas run, from when one leads until the end."""
        replicas = [Replica(self, f"replica-{number}") for number in range(count)]
        tasks = [asyncio.create_task(replica.run_as_the_kubelet_does()) for replica in replicas]
        try:
            await until(lambda: any(replica.leads for replica in replicas), within=30)
            yield replicas
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


class Replica:
    """One replica, process after process.

    Args:
        surroundings: what is around it.
        name: its name in the Lease.
    """

    def __init__(self, surroundings: Surroundings, name: str) -> None:
        self._surroundings = surroundings
        self._name = name
        self.registry = CollectorRegistry()
        self.leadership = Leadership(15, now=now)
        self.ends: list[str] = []
        """Why its processes ended."""

    @property
    def leads(self) -> bool:
        """Whether it may act."""
        return self.leadership.leads()

    def sample(self, series: str, **labels: str) -> float:
        """What its metrics say."""
        value = self.registry.get_sample_value(series, labels)
        assert value is not None, series
        return value

    async def run_as_the_kubelet_does(self) -> None:
        """Run for ever, process after process."""
        pause = FIRST_RESTART_SECONDS
        while True:
            try:
                await self.run()
            except StartUpError as error:
                self.ends.append(str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_RESTART_SECONDS)

    async def run(self) -> None:
        """Run one process to its end."""
        around = self._surroundings
        self.registry, self.leadership = CollectorRegistry(), Leadership(15, now=now)
        operator = Operator(
            OperatorSettings(namespace="home", identity=f"{self._name}-{len(self.ends)}"),
            cast(KubeClient, around.kube),
            around.backends,
            around.announcer,
            around.clock,
            OperatorMetrics(self.registry),
            self.leadership,
        )
        watching = True

        def watch(kind: Kind, body: Object, gone: bool) -> None:
            if watching:
                seen = partial(operator._seen, kind, body, deleted=gone)
                asyncio.get_running_loop().call_later(WATCH_SECONDS, seen)

        for part in ("_informer", "_http", "_loop_watch"):
            setattr(operator, part, _Idle())
        around.kube.watch(watch)
        try:
            await operator.run()
        finally:
            watching = False


class _Idle:
    """A part of the operator that is not there."""

    async def run(self, *_: object) -> None:
        """See Informer, HttpServer, LoopWatch."""
        await asyncio.Event().wait()
