"""A run that Prometheus watches: everything is started, and load comes second by second for as long as is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.operator_load.replica import Replica
from benchmarks.operator_load.stage import ACCOUNTS, Stage, set_up
from benchmarks.watched_operator.load import Load, every_second
from benchmarks.watched_operator.played_serving import PlayedServing
from benchmarks.watched_operator.questions import Questions
from dashboards.prometheus_server import Prometheus, scraping
from e2e.flight import STAND_IN, Flight
from sagemaker_local.testing import LocalAws

TENANTS: Final = ("studio-north", "studio-south")
_SEED: Final = 12
_SWEEP_SECONDS: Final = 20


@dataclass
class WatchedRun:
    """What runs, and what Prometheus has seen of it.

    Attributes:
        seen: what the Prometheus that watches can be asked.
        replicas: of the operator.
    """

    seen: Questions
    replicas: Sequence[Replica]
    _stage: Stage
    _load: Load
    _serving: PlayedServing

    def live(self, until: Callable[[float], bool]) -> None:
        """Let users do what they do.

        Args:
            until: asked every second, with the seconds since the beginning, whether it is enough.
        """

        def second() -> None:
            self._load.go_on()
            self._serving.work()
            for replica in self.replicas:
                replica.require_running()

        every_second(second, lambda: until(time.time() - self.seen.began))

    def lose_the_leader(self) -> None:
        """Kill the replica that leads, and start it anew."""
        holder = self._stage.lease_holder()
        leader = next((replica for replica in self.replicas if replica.identity == holder), self.replicas[0])
        leader.kill()
        leader.start()


@contextmanager
def watched_run(directory: Path) -> Iterator[WatchedRun]:
    """Start everything; it is gone afterwards.

    Args:
        directory: for data and logs.
    """
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(directory / "stage"))
        aws = stack.enter_context(LocalAws(images={"stand-in": STAND_IN}))
        serving = stack.enter_context(PlayedServing(_SEED))
        for namespace in TENANTS:
            stage.cluster.create_namespace(namespace)
        load = Load(stage.api, [Flight(stage.cluster, namespace, aws) for namespace in TENANTS])
        load.begin()
        settings = {**aws.environment, "AVATAR_OPERATOR_SWEEP_SECONDS": str(_SWEEP_SECONDS)}
        replicas = [stage.replica(account, **settings) for account in ACCOUNTS]
        targets = {replica.account: replica.address for replica in replicas}
        prometheus = stack.enter_context(
            Prometheus(directory / "prometheus", scraping({**targets, "serving-0": serving.address}))
        )
        seen = Questions(prometheus, time.time(), TENANTS[0])
        for replica in replicas:
            replica.start()
            replica.wait_until_ready()
        stage.wait_for_runtime()
        yield WatchedRun(seen, replicas, stage, load, serving)
