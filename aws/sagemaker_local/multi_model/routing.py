"""Which instance serves a model.

A request goes where the model is already in memory, else where it is on disk, else to the instance that rendezvous hashing
names: the same one every time, and when an instance leaves only its own models move (Thaler & Ravishankar, 1998).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """An instance as the router sees it."""

    instance_id: str
    loaded: bool
    on_disk: bool


def choose(target: str, candidates: Sequence[Candidate]) -> Candidate:
    """The instance for a model; there must be at least one candidate."""
    return max(
        candidates,
        key=lambda candidate: (candidate.loaded, candidate.on_disk, _weight(target, candidate.instance_id)),
    )


def _weight(target: str, instance_id: str) -> bytes:
    return hashlib.sha256(f"{instance_id}\0{target}".encode()).digest()
