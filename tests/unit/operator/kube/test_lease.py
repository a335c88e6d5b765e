"""Who may take the Lease, and what a holder writes into it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avatar_operator.kube.client import Object
from avatar_operator.kube.lease import (
    LeaseRecord,
    Sighting,
    held,
    missing,
    new_lease,
    read_lease,
    released,
    sighted,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def _record(*, holder: str = "ann", duration: float = 15.0, version: str = "1") -> LeaseRecord:
    return LeaseRecord(holder=holder, duration_seconds=duration, version=version, annotations={})


def _lease(**spec: Any) -> Object:
    lease = new_lease("home", "avatar-operator")
    lease["metadata"]["resourceVersion"] = "7"
    return {**lease, "spec": spec}


@pytest.mark.parametrize(("waited", "may"), [(0.0, False), (14.9, False), (15.0, True), (100.0, True)])
def test_a_lease_may_be_taken_when_it_has_not_changed_for_its_duration(waited: float, may: bool) -> None:
    assert Sighting(_record(), since=50.0).may_be_taken("bob", 50.0 + waited) is may


def test_the_holder_s_duration_counts_and_not_one_s_own() -> None:
    assert not Sighting(_record(duration=60.0), since=0.0).may_be_taken("bob", 59.0)


def test_a_lease_that_nobody_holds_may_be_taken_at_once() -> None:
    assert Sighting(_record(holder=""), since=0.0).may_be_taken("bob", 0.0)


def test_who_comes_back_under_the_holder_s_name_goes_on_at_once() -> None:
    assert Sighting(_record(holder="bob"), since=0.0).may_be_taken("bob", 0.0)


def test_a_change_of_the_lease_starts_the_wait_anew() -> None:
    first = sighted(None, _record(version="1"), 10.0)
    second = sighted(first, _record(version="2"), 24.0)

    assert not second.may_be_taken("bob", 38.0)
    assert second.may_be_taken("bob", 39.0)


def test_a_lease_that_is_seen_again_unchanged_goes_on_running_out() -> None:
    first = sighted(None, _record(), 10.0)

    assert sighted(first, _record(), 24.0) is first


def test_a_lease_that_is_gone_counts_as_changed_and_held_for_as_long_as_it_was() -> None:
    first = sighted(None, LeaseRecord("ann", 15.0, "1", {"told": "7"}), 10.0)
    gone = sighted(first, missing(first), 24.0)

    assert gone.record.annotations == {"told": "7"}
    assert not gone.may_be_taken("bob", 38.0)
    assert gone.may_be_taken("bob", 39.0)
    assert sighted(gone, missing(gone), 30.0) is gone


def test_a_lease_that_was_never_there_may_be_taken_at_once() -> None:
    assert sighted(None, missing(None), 10.0).may_be_taken("bob", 10.0)


def test_times_that_stand_in_a_lease_decide_nothing() -> None:
    long_ago = (NOON - timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lease = _lease(holderIdentity="ann", leaseDurationSeconds=15, renewTime=long_ago, acquireTime=long_ago)

    assert not sighted(None, read_lease(lease), 0.0).may_be_taken("bob", 14.0)


@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None}, {"holderIdentity": ""}])
def test_a_lease_that_names_nobody_is_held_by_nobody(spec: dict[str, Any]) -> None:
    assert read_lease(_lease(**spec)).holder == ""


def test_who_takes_a_new_lease_is_its_first_holder() -> None:
    assert held(_lease(), "ann", 15, {}, NOON)["spec"] == {
        "holderIdentity": "ann",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-22T12:00:00.000000Z",
        "renewTime": "2026-11-22T12:00:00.000000Z",
        "leaseTransitions": 0,
    }


def test_a_renewal_changes_nothing_but_its_time() -> None:
    first = held(_lease(), "ann", 15, {}, NOON)

    renewed = held(first, "ann", 15, {}, NOON + timedelta(seconds=4))

    assert renewed["spec"] == {**first["spec"], "renewTime": "2026-11-22T12:00:04.000000Z"}


def test_another_holder_is_a_transition() -> None:
    first = held(_lease(), "ann", 15, {}, NOON)

    second = held(released(first, {}, NOON), "bob", 15, {}, NOON + timedelta(seconds=4))

    assert (second["spec"]["holderIdentity"], second["spec"]["leaseTransitions"]) == ("bob", 1)
    assert second["spec"]["acquireTime"] == "2026-11-22T12:00:04.000000Z"


def test_a_released_lease_is_held_by_nobody_and_keeps_what_was_left_in_it() -> None:
    lease = released(held(_lease(), "ann", 15, {"told": "5"}, NOON), {"told": "6"}, NOON)

    record = read_lease(lease)
    assert record.holder == ""
    assert record.annotations == {"told": "6"}
    assert lease["spec"]["leaseDurationSeconds"] == 1


def test_annotations_of_others_stay() -> None:
    lease = _lease()
    lease["metadata"]["annotations"] = {"example.com/theirs": "x", "told": "5"}

    written = held(lease, "ann", 15, {"told": "6"}, NOON)

    assert written["metadata"]["annotations"] == {"example.com/theirs": "x", "told": "6"}
    assert written["metadata"]["resourceVersion"] == "7"
