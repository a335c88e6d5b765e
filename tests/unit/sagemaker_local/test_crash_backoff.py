"""A container that dies before it has done anything waits longer each time; one that has worked does not."""

from __future__ import annotations

from sagemaker_local.instances.crash_backoff import CrashBackoff


def test_each_crash_of_an_idle_container_waits_longer_and_never_more_than_half_a_minute() -> None:
    backoff = CrashBackoff()
    delays = []
    for _ in range(7):
        backoff.crashed(served_seconds=0.1, answered=False)
        delays.append(backoff.delay())
    assert delays == [0, 1, 3, 7, 15, 30, 30]


def test_a_container_that_has_answered_is_replaced_at_once_however_many_crashed_before() -> None:
    backoff = CrashBackoff()
    for _ in range(50):
        backoff.crashed(served_seconds=0.1, answered=True)
        assert backoff.delay() == 0


def test_a_container_that_served_for_more_than_a_minute_is_replaced_at_once() -> None:
    backoff = CrashBackoff()
    for served in (0.0, 0.0, 0.0, 61.0):
        backoff.crashed(served, answered=False)
    assert backoff.delay() == 0
