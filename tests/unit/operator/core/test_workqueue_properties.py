"""The work queue under any order of adding, working, failing and waiting.

The model is what a user of the queue may count on: a key is wanted from the moment it is added (or its timer fires)
until work on it begins, it is handed to one worker at a time, and nothing that is wanted is ever lost. Parties may count
on their turns: nobody who has more under way comes before one that waits, one that has nothing under way is overtaken by
each other one once at most, and in a party's own line nobody is overtaken.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from avatar_operator.core.workqueue import WorkQueue
from builders.virtual_time import VirtualTimeLoop

NAMES = ("a1", "a2", "a3", "b1", "b2", "c1")
KEYS = st.sampled_from(NAMES)
DELAYS = st.sampled_from([0.0, 1.0, 2.0, 5.0, 30.0])


def party_of(key: str) -> str:
    """The party that a key's first letter names."""
    return key[0]


class WorkQueueMachine(RuleBasedStateMachine):
    """Compares the queue with a model of sets and due times."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.queue: WorkQueue[str] = WorkQueue(party_of=party_of)
        self.wanted: set[str] = set()
        self.working: set[str] = set()
        self.due: dict[str, float] = {}
        self.now = 0.0
        self.since: dict[str, float] = {}
        """When the keys that wait came into their lines."""
        self.overtaken: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """How often each party was served while another one waited and had nothing under way, by that other one."""

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.runner.run(self._call(lambda: self.queue.add(key)))
        self.wanted.add(key)
        self._note_who_waits()

    @rule()
    def sweep(self) -> None:
        for key in NAMES:
            self.add(key)

    @rule(key=KEYS, delay=DELAYS)
    def add_after(self, key: str, delay: float) -> None:
        self.runner.run(self._call(lambda: self.queue.add_after(key, delay)))
        self._expect_in(key, delay)

    @rule(key=KEYS, at_least=DELAYS)
    def add_backed_off(self, key: str, at_least: float) -> None:
        delays: list[float] = []
        self.runner.run(self._call(lambda: delays.append(self.queue.add_backed_off(key, at_least=at_least))))
        assert delays[0] >= at_least
        self._expect_in(key, delays[0])

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0, 100.0]))
    def wait(self, seconds: float) -> None:
        # A moment more than the timers' own grid, so that none is due at the very instant at which we look.
        self.runner.run(asyncio.sleep(seconds + 0.01))
        self.now = self.runner.get_loop().time()
        for key, due in sorted(self.due.items(), key=lambda entry: entry[1]):
            if due <= self.now:
                del self.due[key]
                self.wanted.add(key)
                self._note_who_waits(since=due)

    @precondition(lambda self: self.wanted - self.working)
    @rule()
    def get(self) -> None:
        key = self.runner.run(self.queue.get())
        assert key not in self.working, "handed to two workers at a time"
        assert key in self.wanted, "handed out though nobody asked for it"
        self._expect_turn_of(key)
        self.wanted.discard(key)
        self.due.pop(key, None)
        self.working.add(key)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.working)))
        self.runner.run(self._call(lambda: self.queue.done(key)))
        self.working.discard(key)
        self._note_who_waits()

    @invariant()
    def exactly_what_is_wanted_and_free_waits(self) -> None:
        assert len(self.queue) == len(self.wanted - self.working)

    @invariant()
    def every_party_that_waits_is_counted_once(self) -> None:
        assert self.queue.parties() == len({party_of(key) for key in self.wanted - self.working})

    def _note_who_waits(self, since: float | None = None) -> None:
        for key in self.wanted - self.working:
            self.since.setdefault(key, self.now if since is None else since)

    def _expect_turn_of(self, key: str) -> None:
        served, under_way = party_of(key), Counter(map(party_of, self.working))
        line = [since for other, since in self.since.items() if party_of(other) == served]
        assert self.since.pop(key) == min(line), "overtaken in its own line"
        self.overtaken.pop(served, None)
        for party in {party_of(other) for other in self.wanted - self.working} - {served}:
            assert under_way[served] <= under_way[party], "served before somebody who has less"
            if under_way[party]:
                self.overtaken.pop(party, None)
            else:
                self.overtaken[party][served] += 1
                assert self.overtaken[party][served] <= 1, "overtaken twice"

    def teardown(self) -> None:
        self.runner.close()

    def _expect_in(self, key: str, delay: float) -> None:
        if delay <= 0:
            self.wanted.add(key)
            self._note_who_waits()
        else:
            self.due[key] = min(self.due.get(key, float("inf")), self.now + delay)

    @staticmethod
    async def _call(action: Callable[[], object]) -> None:
        action()


TestWorkQueue = WorkQueueMachine.TestCase
TestWorkQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
