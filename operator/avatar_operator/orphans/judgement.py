"""What is an orphan? Pure.

Data whose uid belongs to no object of the cluster, that nobody meant to keep, and that has been without an owner for the
grace period. The period counts from when this process first saw it so: for how long it was so before, nobody knows. What
was written in that time is younger than the period, too, and is left alone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from avatar_operator.backends.storage import StoredOwner


@dataclass(frozen=True)
class Judgement:
    """What a look found.

    Attributes:
        orphans: for longer than the grace period without an owner.
        first_seen: since when each location without an owner is known to be that, for the next look.
    """

    orphans: tuple[StoredOwner, ...]
    first_seen: Mapping[str, datetime]


def judge(
    owners: Iterable[StoredOwner],
    *,
    living: Collection[str],
    first_seen: Mapping[str, datetime],
    now: datetime,
    grace_seconds: int,
) -> Judgement:
    """Tell orphans from what has an owner, from what was retained, and from what may yet get one.

    Args:
        owners: everything that is stored, by its owner.
        living: uids of the objects there are, and of those whose data a runtime is removing anyway.
        first_seen: the former judgement's.
        now: the instant of this look.
        grace_seconds: for how long something must have been without an owner.
    """
    without = [owner for owner in owners if owner.uid not in living and not owner.retained]
    seen = {owner.location: first_seen.get(owner.location, now) for owner in without}
    due = now - timedelta(seconds=grace_seconds)
    orphans = tuple(owner for owner in without if max(seen[owner.location], owner.newest) <= due)
    return Judgement(orphans, seen)
