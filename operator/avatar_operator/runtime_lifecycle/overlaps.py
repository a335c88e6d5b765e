"""Where two runtimes lie in each other: what one lets its users name is what the other keeps, or is its tenants'. Pure.

The API server judges one object at a time, so nobody can refuse this when it is written. Storage that runtimes share is no
danger by itself: every key names the uid of its object, and no user names what lies there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avatar_api.allowed_prefixes import NAMESPACE
from avatar_operator.runtime_lifecycle.conditions import ACCEPTED
from avatar_operator.runtime_lifecycle.dangers import mixed_prefixes, overlapping_prefixes
from avatar_operator.runtime_lifecycle.work import Body

PLACES = ("requests", "artifacts", "outputs")


@dataclass(frozen=True)
class Reach:
    """What a runtime reaches in S3, read raw: it may be of another version.

    Attributes:
        name: the runtime's.
        standing: of two, the one with the lesser was there first: one that works before others, and one that does not begin
            beside another after all, so that it keeps nobody out; then by creation. Kubernetes dates it to the second, so what
            was made in one second is told apart by uid.
        allowed: prefixes that its users may name.
        places: prefixes that it keeps things below.
    """

    name: str
    standing: tuple[int, str, str]
    allowed: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def buckets(self) -> frozenset[str]:
        """The names of its buckets, some of which may hold `{namespace}`."""
        return frozenset(bucket_of(location) for location in (*self.allowed, *self.places))


@dataclass(frozen=True)
class Overlap:
    """Another runtime that a runtime is not apart from.

    Attributes:
        other: its name.
        other_was_first: whether it was there first.
        message: what overlaps, from where this runtime stands, and how to mend it.
    """

    other: str
    other_was_first: bool
    message: str


def reach_of(body: Body) -> Reach:
    """What an AvatarRuntime reaches."""
    metadata, storage = body["metadata"], body.get("spec", {}).get("storage", {})
    allowed: Mapping[str, Any] = storage.get("allowed", {})
    return Reach(
        metadata["name"],
        (_rank(body), str(metadata.get("creationTimestamp", "")), metadata["uid"]),
        tuple(dict.fromkeys([*(allowed.get("photos") or ()), *(allowed.get("outputs") or ())])),
        tuple(storage[place] for place in PLACES if place in storage),
    )


def _rank(body: Body) -> int:
    for condition in body.get("status", {}).get("conditions", ()):
        if condition.get("type") == ACCEPTED:
            if condition.get("status") == "True":
                return 0
            if condition.get("reason") == "RuntimesOverlap":
                return 2
    return 1


def bucket_of(location: str) -> str:
    """The bucket of an S3 location."""
    return location.removeprefix("s3://").partition("/")[0]


def overlap(own: Reach, other: Reach) -> Overlap | None:
    """How a runtime is not apart from another one; None if it is."""
    found = _overlap(own, other)
    return None if found is None else Overlap(other.name, other.standing < own.standing, found)


def _overlap(own: Reach, other: Reach) -> str | None:
    for prefix, place in overlapping_prefixes(own.allowed, other.places):
        return (
            f"{prefix} in spec.storage.allowed overlaps {place}, where AvatarRuntime {other.name} keeps things, for some"
            " namespace at least: users may name what lies there. Allow another prefix."
        )
    for prefix, place in overlapping_prefixes(other.allowed, own.places):
        return (
            f"{prefix} in spec.storage.allowed of AvatarRuntime {other.name} overlaps {place} in spec.storage, where this one"
            " keeps things, for some namespace at least: its users may name what lies there. Allow another prefix there."
        )
    for outer, inner in mixed_prefixes(own.allowed, other.allowed):
        return _mixed(outer, "this one", inner, f"AvatarRuntime {other.name}")
    for outer, inner in mixed_prefixes(other.allowed, own.allowed):
        return _mixed(outer, f"AvatarRuntime {other.name}", inner, "this one")
    return None


def _mixed(outer: str, its: str, inner: str, whose: str) -> str:
    return (
        f"{inner} of one namespace, in spec.storage.allowed of {whose}, lies in {outer} of another, in that of {its}. Begin both"
        f" alike up to {NAMESPACE}, or with different names."
    )
