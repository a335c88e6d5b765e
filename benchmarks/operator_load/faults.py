"""What befalls two replicas, decided by a seed. Pure.

A kill is SIGKILL and a new process some seconds later, as the kubelet starts one. A freeze is SIGSTOP for longer than the lease
and SIGCONT: what a partition does to the world, and worse for the one that it befalls, because it goes on in the middle of
whatever it was doing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LEADER_SHARE = 0.8
"""How often the leader is hit. The other times it is the replica that stands by."""
LONGEST_CALM_SECONDS = 4.0


@dataclass(frozen=True)
class Fault:
    """Something that befalls a replica.

    Attributes:
        kind: what.
        of_leader: whether it befalls the replica that leads, or the other.
        calm_seconds: from when somebody leads until it comes.
        seconds: how long the replica is away: until it is started again, or until its time goes on.
    """

    kind: Literal["kill", "freeze"]
    of_leader: bool
    calm_seconds: float
    seconds: float


def faults(seed: int, count: int, lease_seconds: float) -> Iterator[Fault]:
    """The faults that a seed means, kills and freezes in turn by chance, each kind at least once if there are two."""
    chance = random.Random(seed)
    kinds: list[Literal["kill", "freeze"]] = ["kill", "freeze"]
    drawn = [*kinds, *chance.choices(kinds, k=count)][:count]
    chance.shuffle(drawn)
    for number, kind in enumerate(drawn):
        away = chance.uniform(0.0, 3.0) if kind == "kill" else lease_seconds * chance.uniform(1.2, 1.8)
        yield Fault(
            kind=kind,
            of_leader=number < len(kinds) or chance.random() < LEADER_SHARE,
            calm_seconds=chance.uniform(0.0, LONGEST_CALM_SECONDS),
            seconds=away,
        )
