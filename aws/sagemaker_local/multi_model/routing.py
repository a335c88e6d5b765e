"""Which instance serves a model.

Sticky: a request goes where the model is already in memory, else where it is on disk, else to the instance that rendezvous
hashing names: the same one every time, and when an instance leaves only its own models move (Thaler & Ravishankar, 1998).

Hot: an instance that already has `REQUESTS_PER_COPY` requests of the model is passed over for the next one, which thereby loads
a copy; when all have that many, the model's least busy holder takes the request. As soon as the traffic fits one instance again
it goes there, and the copies are evicted like any other unused model.

AWS documents that a model's traffic is sent to another instance when its instance is busy with it, not how busy that is.
Source: "How multi-model endpoints work" in "Multi-model endpoints", SageMaker guide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

REQUESTS_PER_COPY = 4


@dataclass(frozen=True)
class Candidate:
    """An instance as the router sees it.

    Attributes:
        requests: those of the model that the instance is serving or that wait there.
    """

    instance_id: str
    loaded: bool
    on_disk: bool
    requests: int


def choose(
    target: str, candidates: Sequence[Candidate], requests_per_copy: int = REQUESTS_PER_COPY
) -> Candidate:
    """The instance for a model; there must be at least one candidate."""

    def stickiness(candidate: Candidate) -> tuple[bool, bool, bytes]:
        return candidate.loaded, candidate.on_disk, _weight(target, candidate.instance_id)

    with_room = [candidate for candidate in candidates if candidate.requests < requests_per_copy]
    if with_room:
        return max(with_room, key=stickiness)
    return min(candidates, key=lambda candidate: (candidate.requests, _weight(target, candidate.instance_id)))


def _weight(target: str, instance_id: str) -> bytes:
    return hashlib.sha256(f"{instance_id}\0{target}".encode()).digest()
