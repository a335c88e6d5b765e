"""Whose turn it is: things that wait, by the party that they belong to, and the parties take turns.

First come, first served is fair to things and not to people: whoever brings a thousand of them makes everybody else wait
for all of those. Here each party has a line of its own, in which nobody is overtaken, and the lines are served in turn.

Work takes from milliseconds to a minute, so turns alone would give a party with slow work nearly all of the hands. So
those come first that have the least under way, and of these the one whose last turn is longest ago. A party of which
nothing is under way therefore gets the very next hand that is free, whatever the others have brought; if nobody else
waits, one party gets all of them, first come, first served.

No line starves: one of which nothing is under way is overtaken once at most by each other one, and what is under way ends.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Party = TypeVar("Party", bound=Hashable)
Item = TypeVar("Item")


class Turns(Generic[Party, Item]):
    """What waits, in lines. Use from one event loop only."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Party, deque[Item]] = OrderedDict()
        """Those in which something waits; the one whose last turn is longest ago comes first."""
        self._under_way: Counter[Party] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for line in self._lines.values():
            yield from line

    def parties(self) -> int:
        """How many parties wait."""
        return len(self._lines)

    def add(self, party: Party, item: Item) -> None:
        """Something of a party waits."""
        self._lines.setdefault(party, deque()).append(item)
        self._count += 1

    def next_party(self) -> Party:
        """Whose turn it is.

        Raises:
            LookupError: nobody waits.
        """
        # Not more parties are passed over than have something under way.
        idle = next((party for party in self._lines if not self._under_way[party]), None)
        if idle is not None:
            return idle
        if not self._lines:
            raise LookupError("nobody waits")
        return min(self._lines, key=self._under_way.__getitem__)

    def first_of(self, party: Party) -> Item:
        """What waits longest of a party that waits."""
        return self._lines[party][0]

    def is_first(self, party: Party, item: Item) -> bool:
        """Whether something waits, and nothing of its party waits longer."""
        line = self._lines.get(party)
        return line is not None and line[0] is item

    def drop_first_of(self, party: Party) -> Item:
        """Have what waits longest of a party wait no more; that was its turn."""
        line = self._lines[party]
        item = line.popleft()
        self._count -= 1
        if line:
            self._lines.move_to_end(party)
        else:
            del self._lines[party]
        return item

    def take(self) -> tuple[Party, Item]:
        """Whose turn it is, and what is under way for that party until `done` is called with it.

        Raises:
            LookupError: nobody waits.
        """
        party = self.next_party()
        self._under_way[party] += 1
        return party, self.drop_first_of(party)

    def done(self, party: Party) -> None:
        """Something that was taken is over. Whoever has just been served comes last."""
        self._under_way[party] -= 1
        if not self._under_way[party]:
            del self._under_way[party]
        if party in self._lines:
            self._lines.move_to_end(party)

    def longest_line(self) -> Party:
        """The party of which most waits; somebody has to wait."""
        return max(self._lines, key=lambda party: len(self._lines[party]))
