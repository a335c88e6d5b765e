"""Two replicas, killed and frozen at random while models train: does anything train twice, does everything end?

Models arrive one after the other, at random moments, so that every fault finds some in every phase. The leader is asked
to go a few times at the end, as a rolling update would. How long a leader was missed is read from the API server's
audit log: from the signal to the first write of whoever leads next, the Lease not counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from avatar_operator.settings import OperatorSettings
from benchmarks.operator_load.api_server import Object
from benchmarks.operator_load.faults import Fault, faults
from benchmarks.operator_load.figures import Figure, below, none_of, plain
from benchmarks.operator_load.replica import Replica
from benchmarks.operator_load.stage import ACCOUNTS, Stage
from benchmarks.operator_load.waiting import wait_until
from benchmarks.operator_load.witnessed_writes import Outage, fail_over, writes_between

PLURAL = "avatarmodels"
LEASE_SECONDS = float(OperatorSettings.model_fields["lease_seconds"].default)
FAIL_OVER_SECONDS = 20.0
TAKE_OVER_PATIENCE = 60.0
SECONDS_A_FAULT = 20.0
"""About how long one takes, from the calm before it to the next leader."""
HAND_OVERS = 3
MODELS_A_HAND_OVER = 8
LAST_SECONDS = 240.0
"""Within which every object has to end after the last fault."""


@dataclass
class Ordeal:
    """Two replicas, and what befell them.

    Attributes:
        outages: leaders that were taken away.
        woken: account, waking and end of leaders that were frozen.
    """

    stage: Stage
    replicas: Sequence[Replica]
    outages: list[Outage] = field(default_factory=list)
    woken: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def befall(self, fault: Fault) -> None:
        """Have a fault come and go, until somebody leads and both replicas are there."""
        leader, standby = self._roles()
        time.sleep(fault.calm_seconds)
        victim = leader if fault.of_leader else standby
        identity, began = victim.identity, datetime.now(UTC)
        if fault.kind == "kill":
            victim.kill()
            time.sleep(fault.seconds)
            victim.start()
            back = victim.started_at
        else:
            victim.freeze()
            time.sleep(fault.seconds)
            back = datetime.now(UTC)
            victim.thaw()
            self._see_it_wake(victim, was_leader=fault.of_leader)
        if fault.of_leader:
            self.outages.append(Outage(fault.kind, victim.account, began, back))
            self._wait_for_leader_beside(identity)
        self._wait_until_ready()

    def hand_over(self, meanwhile: Callable[[], None]) -> None:
        """Ask the leader to go, and replace it once it has gone."""
        leader, _ = self._roles()
        identity, began = leader.identity, datetime.now(UTC)
        leader.ask_to_go()
        meanwhile()
        wait_until(lambda: not leader.is_running(), "the end of a leader that was asked to go", seconds=60)
        self._wait_for_leader_beside(identity)
        leader.start()
        self.outages.append(Outage("SIGTERM", leader.account, began, leader.started_at))
        self._wait_until_ready()

    def _roles(self) -> tuple[Replica, Replica]:
        """The replica that leads, and the other."""
        holder = ""

        def somebody_leads() -> bool:
            nonlocal holder
            holder = self.stage.lease_holder()
            return any(replica.identity == holder for replica in self.replicas)

        wait_until(somebody_leads, "a leader", seconds=TAKE_OVER_PATIENCE)
        one, other = self.replicas
        return (one, other) if one.identity == holder else (other, one)

    def _see_it_wake(self, victim: Replica, *, was_leader: bool) -> None:
        woke = datetime.now(UTC)
        if was_leader:
            wait_until(lambda: not victim.is_running(), "the end of a leader that woke too late", seconds=60)
            self.woken.append((victim.account, woke, datetime.now(UTC)))
        if not victim.is_running():
            victim.start()

    def _wait_for_leader_beside(self, identity: str) -> None:
        wait_until(
            lambda: self.stage.lease_holder() not in ("", identity),
            "a new leader",
            seconds=TAKE_OVER_PATIENCE,
        )

    def _wait_until_ready(self) -> None:
        for replica in self.replicas:
            replica.wait_until_ready()


def measure_replicas(
    stage: Stage,
    model: Callable[[int], Object],
    *,
    models: int,
    fault_count: int,
    seed: int,
    environment: Mapping[str, str],
) -> Iterator[Figure]:
    """Measure; the runtime is there and can be used as soon as somebody leads. Models are numbered from 0."""
    ordeal = Ordeal(stage, [stage.replica(account, **environment) for account in ACCOUNTS])
    for replica in ordeal.replicas:
        replica.start()
    for replica in ordeal.replicas:
        replica.wait_until_ready()
    stage.wait_for_runtime()
    since = stage.cluster.audit_position()
    handed_over = range(models - HAND_OVERS * MODELS_A_HAND_OVER, models)
    with _arriving(stage, [model(number) for number in range(handed_over.start)], fault_count, seed):
        for fault in faults(seed, fault_count, LEASE_SECONDS):
            ordeal.befall(fault)
    for first in handed_over[::MODELS_A_HAND_OVER]:
        new = [model(number) for number in range(first, first + MODELS_A_HAND_OVER)]
        ordeal.hand_over(lambda new=new: stage.api.create(PLURAL, *new))  # type: ignore[misc]
    began = time.monotonic()
    wait_until(
        lambda: stage.api.count(PLURAL) == models and stage.api.all_in_state(PLURAL, "Ready"),
        "the end of every training",
        seconds=LAST_SECONDS,
        every=0.5,
    )
    yield plain("models, all of them Ready", models, digits=0)
    yield plain("  after the last fault", time.monotonic() - began, "s")
    yield from _outage_figures(ordeal, since)
    for replica in ordeal.replicas:
        replica.stop()


@contextmanager
def _arriving(stage: Stage, bodies: Sequence[Object], fault_count: int, seed: int) -> Iterator[None]:
    """Have models created one after the other, at random, over about as long as the faults take."""
    chance = random.Random(f"arrivals {seed}")
    mean = fault_count * SECONDS_A_FAULT / len(bodies)
    failures: list[Exception] = []

    def arrive() -> None:
        try:
            for body in bodies:
                time.sleep(chance.expovariate(1 / mean))
                stage.api.create(PLURAL, body)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=arrive, name="arrivals", daemon=True)
    thread.start()
    yield
    thread.join()
    if failures:
        raise failures[0]


def _outage_figures(ordeal: Ordeal, since: int) -> Iterator[Figure]:
    events = ordeal.stage.cluster.audit_events(since)
    late = [write for woken in ordeal.woken for write in writes_between(*woken, events)]
    for kind, what in (("kill", "killed"), ("freeze", "frozen"), ("SIGTERM", "asked to go")):
        outages = [outage for outage in ordeal.outages if outage.kind == kind]
        known = [taken for outage in outages if (taken := fail_over(outage, ACCOUNTS, events)) is not None]
        if not known:
            continue
        writing = sorted(taken.writing for taken in known)
        leading = sorted(taken.leading for taken in known)
        title = f"leader {what}, {len(known)} times: missed for"
        yield plain(f"{title}, median", writing[len(writing) // 2], "s")
        yield below(f"{title}, worst", writing[-1], FAIL_OVER_SECONDS, "s")
        yield plain("  until the Lease was taken, worst", leading[-1], "s")
    yield none_of("writes of a leader that woke after its lease", len(late))
