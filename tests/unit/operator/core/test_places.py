"""Places of one quota: never too many, the oldest first, and nobody waits for nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from avatar_operator.core.places import Applicant, Places


def applicant(name: str, wants: int = 1, *, created: str = "2026-11-25T12:00:00Z") -> Applicant:
    """Somebody who wants places; of the same age as all others here, so that names decide."""
    return Applicant(created=created, name=name, uid=f"uid-of-{name}", wants=wants)


def names(places: Places) -> list[str]:
    """Who waits, in order."""
    return [waiting.name for waiting in places.line]


def test_places_are_given_until_there_are_none() -> None:
    places = Places()

    assert [places.ask(applicant(name), quota=2) for name in "abc"] == [True, True, False]
    assert names(places) == ["c"]


def test_whoever_asks_twice_takes_one_place() -> None:
    places = Places()
    for _ in range(3):
        assert places.ask(applicant("a"), quota=2)

    assert places.ask(applicant("b"), quota=2)


def test_a_younger_one_does_not_overtake_an_older_one() -> None:
    places = Places()
    old, young = (
        applicant("z", created="2026-11-25T12:00:00Z"),
        applicant("a", created="2026-11-25T12:00:01Z"),
    )
    places.ask(applicant("busy"), quota=1)
    places.ask(young, quota=1)
    places.ask(old, quota=1)
    places.free("uid-of-busy")

    assert not places.ask(young, quota=1)
    assert places.ask(old, quota=1)


def test_one_that_wants_little_does_not_pass_by_one_that_wants_much() -> None:
    places = Places()
    places.ask(applicant("a", 6), quota=10)
    assert not places.ask(applicant("b", 8), quota=10)

    assert not places.ask(applicant("c", 1), quota=10)
    places.free("uid-of-a")
    assert places.ask(applicant("b", 8), quota=10)
    assert places.ask(applicant("c", 1), quota=10)


def test_whoever_has_left_the_line_holds_up_nobody() -> None:
    places = Places()
    places.ask(applicant("busy"), quota=1)
    places.ask(applicant("a"), quota=1)
    places.ask(applicant("b"), quota=1)
    places.free("uid-of-busy")
    assert places.leave_line("uid-of-a")
    assert not places.leave_line("uid-of-a")

    assert places.ask(applicant("b"), quota=1)


def test_what_is_at_work_beyond_a_lowered_quota_stays_and_nobody_else_begins() -> None:
    places = Places()
    for name in "abc":
        places.occupy(applicant(name))

    assert not places.ask(applicant("d"), quota=1)
    places.free("uid-of-a")
    places.free("uid-of-b")
    assert not places.ask(applicant("d"), quota=1)
    places.free("uid-of-c")
    assert places.ask(applicant("d"), quota=1)


def test_whoever_begins_anew_keeps_its_place_though_others_wait() -> None:
    places = Places()
    places.occupy(applicant("z"))
    places.ask(applicant("a"), quota=1)
    places.reserve_again("uid-of-z")

    assert not places.ask(applicant("a"), quota=1)
    assert places.ask(applicant("z"), quota=1)


def test_whoever_begins_anew_under_a_lowered_quota_waits_like_everybody() -> None:
    places = Places()
    for name in "abc":
        places.occupy(applicant(name))
    places.reserve_again("uid-of-b")

    assert not places.ask(applicant("b"), quota=2)
    assert names(places) == ["b"]
    assert not places.has_place("uid-of-b")


def test_a_place_is_seen_only_once_the_status_says_so() -> None:
    places = Places()
    places.ask(applicant("a"), quota=1)
    assert (places.has_place("uid-of-a"), places.is_seen("uid-of-a")) == (True, False)
    places.occupy(applicant("a"))
    assert places.is_seen("uid-of-a")
    places.ask(applicant("a"), quota=1)
    assert places.is_seen("uid-of-a"), "whoever asks for its next attempt is still at its former one"


def test_an_account_without_anybody_is_empty() -> None:
    places = Places()
    assert places.is_empty
    places.ask(applicant("a"), quota=1)
    places.ask(applicant("b"), quota=1)
    assert not places.is_empty
    places.free("uid-of-a")
    assert not places.free("uid-of-a")
    assert not places.is_empty
    places.leave_line("uid-of-b")
    assert places.is_empty


WHO = st.sampled_from("abcdef")


class PlacesMachine(RuleBasedStateMachine):
    """Compares places with a model of who has some, and judges each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Places()
        self.quota = 5
        self.has: dict[str, int] = {}
        self.waits: dict[str, int] = {}

    @rule(name=WHO, wants=st.integers(1, 5))
    def ask(self, name: str, wants: int) -> None:
        begins = self.places.ask(applicant(name, wants), self.quota)
        had = self.has.pop(name, None)
        self.waits.pop(name, None)
        free = self.quota - sum(self.has.values())
        older = sum(wanted for other, wanted in self.waits.items() if other < name)
        assert begins == (wants <= free and (had is not None or wants + older <= free))
        (self.has if begins else self.waits)[name] = wants

    @rule(name=WHO, wants=st.integers(1, 5))
    def is_seen_at_work(self, name: str, wants: int) -> None:
        self.places.occupy(applicant(name, wants))
        self.waits.pop(name, None)
        self.has[name] = wants

    @precondition(lambda self: self.has)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.has)))
        assert self.places.free(f"uid-of-{name}")
        del self.has[name]

    @rule(name=WHO)
    def leaves(self, name: str) -> None:
        assert self.places.leave_line(f"uid-of-{name}") == (self.waits.pop(name, None) is not None)

    @rule(quota=st.integers(1, 9))
    def the_quota_changes(self, quota: int) -> None:
        self.quota = quota

    @rule()
    def everybody_who_waits_asks_the_youngest_first(self) -> None:
        for name, wants in sorted(self.waits.items(), reverse=True):
            self.ask(name, wants)

    @invariant()
    def who_waits_is_in_order_and_has_no_place(self) -> None:
        assert names(self.places) == sorted(self.waits)
        assert all(self.places.has_place(f"uid-of-{name}") == (name in self.has) for name in "abcdef")


TestPlaces = PlacesMachine.TestCase
TestPlaces.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
