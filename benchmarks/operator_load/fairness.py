"""What one tenant's thousand requests cost another tenant's one, and what fairness costs a tenant that is alone.

The whole operator with its real queues and workers, in virtual time: a draw takes as long as it is said to, everything else
takes none. So the figures are the queue's alone, and the same on every machine. The peer is first come, first served: each
of the two passes that a request needs until its first picture, one that accepts it and one that draws, stands behind
all others.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from benchmarks.operator_load.figures import Figure, at_least, at_most, plain
from builders.drawing_crowd import PICTURES, WORKERS, Crowd, a_crowd
from builders.whole_operator import in_virtual_time, now

ONE, OTHER = "team-a", "team-b"
DRAWS_A_WORKER = 2
"""Promised: so many draws of others a worker is busy with, at most, before the first picture."""
EVEN_SECONDS = 8.0
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 60.0
ARRIVALS = 5
REQUESTS_ALONE = WORKERS
TURN_SECONDS = 0.5
"""A look at how far it is, which is what the end of a story is late by."""
PASSES = 2


@dataclass(frozen=True)
class Wait:
    """What a request of one picture had to wait for.

    Attributes:
        draws: of others, until its picture was there, by the worker that was busy with most of them.
        draws_before: likewise, until a worker began to draw it.
        seconds: until its picture was there.
    """

    draws: int
    draws_before: int
    seconds: float


def measure_fairness(requests: int, seed: int) -> Iterator[Figure]:
    """Measure; figures come as they are known.

    Args:
        requests: of the one tenant, of 64 pictures each.
        seed: of the durations that are drawn at random.
    """
    # The operator runs in this very process, and has a line for each step of each request.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chance = random.Random(seed)
    in_line = PASSES * requests / WORKERS
    even = _waits(requests, lambda: EVEN_SECONDS)
    draws = [wait.draws for wait in even]
    yield _promise("draws of 8 s each: of others, a worker, until the first picture", draws, in_line)
    yield _seconds(even, in_line * EVEN_SECONDS)
    mixed = _waits(requests, lambda: chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
    # While it is drawn itself, for a minute perhaps, others may do many short ones.
    draws = [wait.draws_before for wait in mixed]
    yield _promise("draws of 2 to 60 s: of others, a worker, until it is drawn", draws, in_line)
    yield _seconds(mixed, in_line * (SHORTEST_SECONDS + LONGEST_SECONDS) / 2)
    taken, ideal = _alone()
    yield at_least(
        "one tenant alone: share of the workers' time that is drawn in", ideal / taken, 0.99, digits=3
    )


def _promise(title: str, draws: list[int], in_line: float) -> Figure:
    worst = max(draws)
    peer = f"first come, first served: {in_line:.0f}; {worst / in_line:.3f}"
    return at_most(f"{title}, worst of {len(draws)}", worst, DRAWS_A_WORKER, digits=0, peer=peer)


def _seconds(waits: list[Wait], in_line: float) -> Figure:
    worst = max(wait.seconds for wait in waits)
    peer = f"first come, first served: {in_line:.0f} s; {worst / in_line:.3f}"
    return plain("  until the first picture is there, worst", worst, "s", peer=peer)


def _waits(requests: int, draw_seconds: Callable[[], float]) -> list[Wait]:
    """Some requests for one picture, one after the other, beside many large ones."""
    waits: list[Wait] = []

    async def story() -> None:
        async with a_crowd(draw_seconds=draw_seconds) as crowd:
            await crowd.moves_in(ONE)
            await crowd.moves_in(OTHER)
            for _ in range(requests):
                crowd.asks_for(PICTURES, ONE)
            await crowd.until_everybody_draws()
            waits.extend([await _wait_of_one(crowd) for _ in range(ARRIVALS)])

    in_virtual_time(story())
    return waits


async def _wait_of_one(crowd: Crowd) -> Wait:
    began = now()
    first = await crowd.until_drawn(crowd.asks_for(1, OTHER))
    assert first.ended is not None
    return Wait(
        draws=crowd.worst_wait(first, began, until=first.ended),
        draws_before=crowd.worst_wait(first, began, until=first.began),
        seconds=first.ended - began,
    )


def _alone() -> tuple[float, float]:
    """How long a tenant's requests take that has all workers, and how long they would if these did nothing but draw."""
    taken = ideal = 0.0

    async def story() -> None:
        nonlocal taken, ideal
        async with a_crowd(draw_seconds=lambda: EVEN_SECONDS) as crowd:
            await crowd.moves_in(ONE)
            began = now()
            for _ in range(REQUESTS_ALONE):
                crowd.asks_for(PICTURES, ONE)
            await crowd.until_all_have_ended()
            taken = now() - began - TURN_SECONDS
            ideal = len(crowd.compute.draws) / WORKERS * EVEN_SECONDS

    in_virtual_time(story())
    return taken, ideal
