"""Who leads: the decision, apart from every effect.

A Lease names its holder and says for how long it holds. Whether a holder has gone is judged as client-go does, by one's
own clock alone: it has gone when the Lease has not changed for its duration since one saw it change last. Two machines'
clocks are never compared, so it does not matter whether they agree. The times that stand in a Lease are for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from avatar_operator.kube.client import Object

LEASE_API_VERSION = "coordination.k8s.io/v1"
RELEASED_SECONDS = 1
"""A released Lease names no holder, but the API server wants a duration of it that is not zero."""


@dataclass(frozen=True)
class LeaseRecord:
    """What a Lease says.

    Attributes:
        holder: who holds it; empty if nobody does.
        duration_seconds: for how long it holds after its last change.
        version: its resourceVersion: another one is a change. Empty if it is not there.
        annotations: what the holder left for whoever comes next.
    """

    holder: str
    duration_seconds: float
    version: str
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Sighting:
    """A Lease, and when it was first seen to say this.

    Attributes:
        record: what it says.
        since: on one's own clock.
    """

    record: LeaseRecord
    since: float

    def may_be_taken(self, identity: str, now: float) -> bool:
        """Whether whoever is called `identity` may take the Lease.

        It may if nobody holds it, if it holds it itself (a process that died without a word, and came back under its
        name), or if the holder has let it run out.
        """
        if self.record.holder in ("", identity):
            return True
        return now - self.since >= self.record.duration_seconds


def sighted(known: Sighting | None, record: LeaseRecord, now: float) -> Sighting:
    """The sighting after a Lease has been read: the known one, unless the Lease has changed since."""
    if known is not None and known.record.version == record.version:
        return known
    return Sighting(record, now)


def missing(known: Sighting | None) -> LeaseRecord:
    """What counts of a Lease that is not there.

    Somebody may have deleted it, and its holder learns of that at its next renewal: until then it acts, so it counts as
    changed, and as held for as long as it was. A Lease that was never seen has never been there.

    Args:
        known: the last sighting of the Lease.
    """
    return LeaseRecord("", 0.0, "", {}) if known is None else replace(known.record, version="")


def read_lease(body: Object) -> LeaseRecord:
    """What a Lease of the API server says. Whatever it leaves out counts as not held."""
    spec = body.get("spec", {})
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
        version=body["metadata"]["resourceVersion"],
        annotations=body["metadata"].get("annotations") or {},
    )


def new_lease(namespace: str, name: str) -> Object:
    """A Lease that nobody has held yet."""
    return {
        "apiVersion": LEASE_API_VERSION,
        "kind": "Lease",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {},
    }


def held(
    body: Object, identity: str, duration_seconds: int, annotations: Mapping[str, str], now: datetime
) -> Object:
    """A Lease as its holder writes it, when it takes it and when it renews it.

    Args:
        body: the Lease as it is.
        identity: the holder.
        duration_seconds: for how long it shall hold.
        annotations: replace those of the same names; others stay.
        now: for people to read.
    """
    spec = body.get("spec", {})
    renewed: dict[str, Any] = {
        **spec,
        "holderIdentity": identity,
        "leaseDurationSeconds": duration_seconds,
        "renewTime": _micro_time(now),
    }
    if spec.get("holderIdentity") != identity:
        renewed["acquireTime"] = _micro_time(now)
        renewed["leaseTransitions"] = spec.get("leaseTransitions", 0) + ("acquireTime" in spec)
    return _with(body, renewed, annotations)


def released(body: Object, annotations: Mapping[str, str], now: datetime) -> Object:
    """A Lease as its holder leaves it to whoever comes next."""
    spec = {
        **body.get("spec", {}),
        "holderIdentity": "",
        "leaseDurationSeconds": RELEASED_SECONDS,
        "renewTime": _micro_time(now),
    }
    return _with(body, spec, annotations)


def _with(body: Object, spec: Mapping[str, Any], annotations: Mapping[str, str]) -> Object:
    metadata = body["metadata"]
    kept = metadata.get("annotations") or {}
    return {**body, "metadata": {**metadata, "annotations": {**kept, **annotations}}, "spec": dict(spec)}


def _micro_time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
