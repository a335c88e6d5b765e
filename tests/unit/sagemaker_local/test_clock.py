"""The clock and the scheduler."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sagemaker_local import clock
from sagemaker_local.clock import Clock, Scheduler


class StandingTime:
    """Stands where the module `time` is; passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> StandingTime:
    standing = StandingTime()
    monkeypatch.setattr(clock, "time", standing)
    return standing


@pytest.fixture
def scheduler(standing: StandingTime) -> Iterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


def test_a_faster_clock_shortens_waits() -> None:
    assert Clock(speed=60).real(360) == 6


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_speed_out_of_range_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="the clock's speed must be above 0"):
        Clock(speed)


def test_actions_run_in_the_order_of_their_times(scheduler: Scheduler, standing: StandingTime) -> None:
    ran: list[str] = []
    done = threading.Event()
    scheduler.after(0.09, done.set)
    scheduler.after(0.06, lambda: ran.append("late"))
    scheduler.after(0.02, lambda: ran.append("early"))
    standing.now = 1.0
    assert done.wait(60)
    assert ran == ["early", "late"]


def test_a_cancelled_action_does_not_run(scheduler: Scheduler, standing: StandingTime) -> None:
    ran: list[str] = []
    done = threading.Event()
    scheduler.after(0.01, lambda: ran.append("cancelled")).cancel()
    scheduler.after(0.02, done.set)
    standing.now = 1.0
    assert done.wait(60)
    assert ran == []


def test_an_action_that_raises_does_not_stop_the_others(scheduler: Scheduler, standing: StandingTime) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    done = threading.Event()
    scheduler.after(0.0, fail)
    scheduler.after(0.01, done.set)
    standing.now = 1.0
    assert done.wait(60)
