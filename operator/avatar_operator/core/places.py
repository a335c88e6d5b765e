"""Places that are given out oldest first: a quota of them, who has one, and who waits. Nothing here does anything else.

Who has a place is known for certain only once the object's status says so, and that takes a write. Between being given a
place and that write somebody else may ask. So a place is taken when it is given, and seen only later; one that is not seen
is given back by whoever finds that it is not used.

Nobody is overtaken: an applicant is given a place only if all older ones that wait would find theirs, too. So one that wants
much is not passed by for ever by those who want little. Whoever cannot use a place just now must leave the line,
or all behind it would wait for nothing.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

WAITING_FOR_QUOTA = "WaitingForQuota"


def waiting_for_quota(namespace: str, runtime: str, what: str, quota: int) -> tuple[str, str]:
    """Why an object waits, as reason and message.

    Args:
        namespace: its namespace.
        runtime: the AvatarRuntime whose quota it is.
        what: of which the namespace has as much as it may have, and the quota's field.
        quota: how much that is.
    """
    # The same words for as long as it waits: a line that moves must not cost a write for each who is in it.
    return (
        WAITING_FOR_QUOTA,
        f"Namespace {namespace} has as many {what} at a time as AvatarRuntime {runtime} lets one have: {quota}. This one"
        " begins when there is room, the oldest first.",
    )


@dataclass(frozen=True, order=True)
class Applicant:
    """Who wants places. The order is that in which they come: by age, of the same second by name.

    Attributes:
        created: when it was created, in RFC 3339 in UTC, which sorts as time does.
        name: its name.
        uid: its uid.
        wants: how many places.
    """

    created: str
    name: str
    uid: str
    wants: int = field(compare=False)


@dataclass(frozen=True)
class _Taken:
    count: int
    seen: bool


class Places:
    """The places of one quota."""

    def __init__(self) -> None:
        self._taken: dict[str, _Taken] = {}
        self._in_use = 0
        self._line: list[Applicant] = []
        self._waiting: dict[str, Applicant] = {}

    @property
    def line(self) -> Sequence[Applicant]:
        """Those who wait, the oldest first."""
        return self._line

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a place and nobody waits."""
        return not self._taken and not self._line

    def has_place(self, uid: str) -> bool:
        """Whether an applicant has a place, seen or not yet."""
        return uid in self._taken

    def is_seen(self, uid: str) -> bool:
        """Whether an applicant has a place, and its status says so."""
        return uid in self._taken and self._taken[uid].seen

    def ask(self, applicant: Applicant, quota: int) -> bool:
        """Give an applicant its places, or have it wait.

        Args:
            applicant: asks, perhaps not for the first time.
            quota: how many places there are. What is taken beyond a quota that was lowered stays taken by whoever is at work.
        """
        had_place, is_seen = self.has_place(applicant.uid), self.is_seen(applicant.uid)
        self.leave_line(applicant.uid)
        self.free(applicant.uid)
        left = quota - self._in_use - applicant.wants
        # Whoever begins anew does not lose its place to those who wait.
        if left >= 0 and (had_place or self._fit_before(applicant, left)):
            self._take(applicant, seen=is_seen)
            return True
        self.wait(applicant)
        return False

    def occupy(self, applicant: Applicant) -> None:
        """An applicant is seen to be at work, with or without having asked: its places are taken."""
        self.leave_line(applicant.uid)
        self.free(applicant.uid)
        self._take(applicant, seen=True)

    def reserve_again(self, uid: str) -> None:
        """Who was seen to be at work has stopped, and is about to begin anew: its next pass will ask or give back."""
        self._taken[uid] = _Taken(self._taken[uid].count, seen=False)

    def free(self, uid: str) -> bool:
        """Give back an applicant's places; False if it had none."""
        taken = self._taken.pop(uid, None)
        self._in_use -= 0 if taken is None else taken.count
        return taken is not None

    def wait(self, applicant: Applicant) -> None:
        """Have an applicant wait that has no place."""
        self.leave_line(applicant.uid)
        self._waiting[applicant.uid] = applicant
        bisect.insort(self._line, applicant)

    def leave_line(self, uid: str) -> bool:
        """Have an applicant wait no more; False if it did not."""
        applicant = self._waiting.pop(uid, None)
        if applicant is None:
            return False
        del self._line[bisect.bisect_left(self._line, applicant)]
        return True

    def _take(self, applicant: Applicant, *, seen: bool) -> None:
        self._taken[applicant.uid] = _Taken(applicant.wants, seen)
        self._in_use += applicant.wants

    def _fit_before(self, applicant: Applicant, left: int) -> bool:
        """Whether all who are older find their places among those that would be left."""
        for older in self._line:
            if applicant < older:
                return True
            left -= older.wants
            if left < 0:
                return False
        return True
