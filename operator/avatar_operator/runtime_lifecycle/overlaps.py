"""Where two runtimes lie in each other: what one lets its users name is what the other keeps, or is its tenants'. Pure.

The API server judges one object at a time, so nobody can refuse this when it is written. Storage that runtimes share is no
danger by itself: every key names the uid of its object, and no user names what lies there.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os.path import commonprefix
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

    @cached_property
    def beginnings(self) -> Mapping[str, str]:
        """By bucket how everything begins that it reaches there, whatever `{namespace}` stands for."""
        heads: defaultdict[str, list[str]] = defaultdict(list)
        for location in (*self.allowed, *self.places):
            heads[bucket_of(location)].append(location.partition(NAMESPACE)[0])
        # Character by character is what is meant: a key is no path.
        return {bucket: commonprefix(found) for bucket, found in heads.items()}  # noqa: RUF071

    def may_meet(self, other: "Reach") -> bool:
        """Whether anything of theirs can lie in each other: a question that is quickly asked before all of it is compared."""
        if any(NAMESPACE in bucket for bucket in (*self.beginnings, *other.beginnings)):
            return True
        return any(
            mine.startswith(theirs) or theirs.startswith(mine)
            for bucket, mine in self.beginnings.items()
            if (theirs := other.beginnings.get(bucket)) is not None
        )


@dataclass(frozen=True)
class Overlap:
    """Another runtime that a runtime is not apart from.

    Attributes:
        other: its name.
        other_was_first: whether it was there first.
        is_meant: whether a prefix for everybody is all that it is about: its platform team has said that it is one, and may
            mean it for users that may see everything.
        message: what overlaps, from where this runtime stands, and how to mend it.
    """

    other: str
    other_was_first: bool
    is_meant: bool
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
    found, is_meant = _accident(own, other), False
    if found is None:
        found, is_meant = _shared(own, other), True
    return None if found is None else Overlap(other.name, other.standing < own.standing, is_meant, found)


def _accident(own: Reach, other: Reach) -> str | None:
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


def _shared(own: Reach, other: Reach) -> str | None:
    mend = "Say where everybody's photos lie more narrowly, if that is not meant."
    for apart, open_to_all in overlapping_prefixes(_apart(own), _open_to_all(other)):
        return (
            f"{open_to_all} in spec.storage.allowed of AvatarRuntime {other.name} is for all of its users, and {apart} of this"
            f" one overlaps it: they may name what is its tenants'. {mend}"
        )
    for apart, open_to_all in overlapping_prefixes(_apart(other), _open_to_all(own)):
        return (
            f"{open_to_all} in spec.storage.allowed is for all users of this one, and {apart} of AvatarRuntime {other.name}"
            f" overlaps it: they may name what is its tenants'. {mend}"
        )
    return None


def _apart(reach: Reach) -> list[str]:
    return [prefix for prefix in reach.allowed if NAMESPACE in prefix]


def _open_to_all(reach: Reach) -> list[str]:
    return [prefix for prefix in reach.allowed if NAMESPACE not in prefix]


def _mixed(outer: str, its: str, inner: str, whose: str) -> str:
    return (
        f"{inner} of one namespace, in spec.storage.allowed of {whose}, lies in {outer} of another, in that of {its}. Begin both"
        f" alike up to {NAMESPACE}, or with different names."
    )
