"""What is an orphan? Pure.

Something that has no owner, and has had none for the grace period. The period counts from when this process first saw it
so: for how long it was so before, nobody knows. What was made in that time is younger than the period, too, and is left
alone.

No two clocks are compared, because what is judged here may be deleted: the one period is measured on a clock that nobody
can set, the other by the place itself where the thing is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from avatar_operator.backends.storage import StoredOwner


class Ownerless(Protocol):
    """Something without an owner."""

    @property
    def location(self) -> str:
        """Tells it from everything else."""
        ...

    @property
    def age_seconds(self) -> float:
        """Since the last of it was made, by the clock of the place where it is."""
        ...


OwnerlessT = TypeVar("OwnerlessT", bound=Ownerless)


@dataclass(frozen=True)
class Judgement(Generic[OwnerlessT]):
    """What a look found.

    Attributes:
        orphans: for longer than the grace period without an owner.
        first_seen: since when each location without an owner is known to be that, for the next look; on the same clock.
    """

    orphans: tuple[OwnerlessT, ...]
    first_seen: Mapping[str, float]


def without_owner(stored: Iterable[StoredOwner], living: Collection[str]) -> list[StoredOwner]:
    """What is stored for objects that are gone, and was not meant to outlive them.

    Args:
        stored: everything that is stored, by its owner.
        living: uids of the objects there are, and of those whose data a runtime is removing anyway.
    """
    return [owner for owner in stored if owner.uid not in living and not owner.retained]


def judge(
    ownerless: Iterable[OwnerlessT],
    *,
    first_seen: Mapping[str, float],
    now: float,
    grace_seconds: int,
) -> Judgement[OwnerlessT]:
    """Tell orphans from what may yet get an owner, or just lost it.

    Args:
        ownerless: everything without an owner.
        first_seen: the former judgement's.
        now: the instant of this look, in seconds on a clock that never goes back or ahead.
        grace_seconds: for how long something must have been without an owner.
    """
    seen = {}
    orphans = []
    for each in ownerless:
        seen[each.location] = first_seen.get(each.location, now)
        if min(now - seen[each.location], each.age_seconds) >= grace_seconds:
            orphans.append(each)
    return Judgement(tuple(orphans), seen)
