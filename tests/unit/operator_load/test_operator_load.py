"""The operator's benchmark judges by these: a fault must count, a duplicate must be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.operator_load.faults import faults
from benchmarks.operator_load.figures import below, percentile
from benchmarks.operator_load.stage import ACCOUNTS
from benchmarks.operator_load.trainings import SubmissionsSeen
from benchmarks.operator_load.witnessed_writes import FailOver, Outage, fail_over, writes_between

from local_cluster.audit_log import AuditEvent

ONE, OTHER = ACCOUNTS
BEGAN = datetime(2026, 11, 25, 12, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def _write(account: str, seconds: float, resource: str = "avatarmodels", code: int = 200) -> AuditEvent:
    return AuditEvent(
        time=_at(seconds),
        user=f"system:serviceaccount:avatar-system:{account}",
        user_agent="test",
        verb="patch",
        api_group="",
        resource=resource,
        subresource="",
        namespace="bench",
        name="ann",
        code=code,
        request_uri="/",
    )


def _version(attempt: int, submitted: str | None) -> dict[str, Any]:
    training = {"revision": 1, "attempt": attempt, **({"submittedTime": submitted} if submitted else {})}
    return {"metadata": {"uid": "u1"}, "status": {"training": training}}


def test_a_seed_means_the_same_faults_of_both_kinds() -> None:
    drawn = list(faults(7, 6, 15.0))
    assert drawn == list(faults(7, 6, 15.0))
    assert {fault.kind for fault in drawn} == {"kill", "freeze"}
    assert all(fault.seconds > 15.0 for fault in drawn if fault.kind == "freeze")


def test_a_fail_over_ends_with_the_first_write_of_the_other_replica() -> None:
    events = [
        _write(ONE, -1.0),
        _write(OTHER, 12.0, "leases"),
        _write(OTHER, 12.5, code=409),
        _write(OTHER, 13.0),
        _write(OTHER, 14.0),
    ]
    outage = Outage("kill", ONE, BEGAN, back=_at(2.0))
    assert fail_over(outage, ACCOUNTS, events) == FailOver(leading=12.0, writing=13.0)


def test_a_fail_over_may_end_with_a_new_process_of_the_same_account() -> None:
    events = [_write(ONE, 0.1), _write(ONE, 11.0, "leases"), _write(ONE, 11.5)]
    outage = Outage("kill", ONE, BEGAN, back=_at(2.0))
    assert fail_over(outage, ACCOUNTS, events) == FailOver(leading=11.0, writing=11.5)


def test_an_outage_that_nobody_ended_has_no_length() -> None:
    assert fail_over(Outage("kill", ONE, BEGAN, back=_at(2.0)), ACCOUNTS, [_write(ONE, 1.0)]) is None


def test_a_late_write_is_one_that_the_api_server_took() -> None:
    events = [_write(ONE, 1.0), _write(ONE, 21.0), _write(ONE, 22.0, code=409), _write(ONE, 40.0)]
    assert [write.time for write in writes_between(ONE, _at(20.0), _at(30.0), events)] == [_at(21.0)]


@pytest.mark.parametrize(
    ("versions", "duplicates"),
    [
        ([(1, None), (1, "t1"), (1, "t1")], 0),
        ([(1, None), (2, None), (2, "t2")], 0),
        ([(1, "t1"), (2, "t2")], 1),
        ([(1, "t1"), (1, "t2")], 1),
    ],
    ids=["submitted once", "the first was given up", "two attempts", "one attempt twice"],
)
def test_a_training_that_is_submitted_again_is_a_duplicate(
    versions: list[tuple[int, str | None]], duplicates: int
) -> None:
    submissions = SubmissionsSeen()
    for attempt, submitted in versions:
        submissions.see(_version(attempt, submitted))
    assert submissions.duplicates() == duplicates


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 121)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [60.0, 114.0, 120.0]
    assert percentile([3.0], 0.95) == 3.0


def test_a_goal_is_missed_at_its_limit() -> None:
    assert below("x", 9.9, 10.0, "s").holds
    assert below("x", 10.0, 10.0, "s").holds is False
