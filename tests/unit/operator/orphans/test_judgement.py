"""What is an orphan?"""

from avatar_operator.backends.storage import StoredOwner
from avatar_operator.orphans.judgement import Judgement, judge, without_owner

GRACE = 100


def _owner(uid: str = "gone", *, age: float = 1_000_000, retained: bool = False) -> StoredOwner:
    return StoredOwner(
        namespace="team-a",
        uid=uid,
        kind="AvatarModel",
        location=f"s3://models/artifacts/team-a/{uid}/",
        age_seconds=age,
        objects=2,
        retained=retained,
    )


def _judged(
    *owners: StoredOwner,
    seconds: float,
    first_seen: float | None = None,
    living: frozenset[str] = frozenset(),
) -> Judgement[StoredOwner]:
    known = {} if first_seen is None else {owner.location: first_seen for owner in owners}
    ownerless = without_owner(owners, living)
    return judge(ownerless, first_seen=known, now=seconds, grace_seconds=GRACE)


def test_what_lost_its_owner_is_an_orphan_after_the_grace_period() -> None:
    assert _judged(_owner(), seconds=199, first_seen=100).orphans == ()
    assert _judged(_owner(), seconds=200, first_seen=100).orphans == (_owner(),)


def test_what_is_seen_for_the_first_time_is_no_orphan_however_old_it_is() -> None:
    judgement = _judged(_owner(), seconds=1_000_000)

    assert judgement.orphans == ()
    assert judgement.first_seen == {_owner().location: 1_000_000}


def test_what_was_written_just_now_is_no_orphan() -> None:
    assert _judged(_owner(age=99), seconds=1000, first_seen=0).orphans == ()
    assert len(_judged(_owner(age=100), seconds=1000, first_seen=0).orphans) == 1


def test_what_has_an_owner_is_no_orphan_and_nothing_is_remembered_of_it() -> None:
    judgement = _judged(_owner("ann"), seconds=1000, first_seen=0, living=frozenset({"ann"}))

    assert judgement == Judgement((), {})


def test_what_was_meant_to_outlive_its_object_is_no_orphan() -> None:
    assert _judged(_owner(retained=True), seconds=1000, first_seen=0) == Judgement((), {})
