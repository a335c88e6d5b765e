"""Idle time: instances that are paid for and do nothing, by the second. What a runtime costs beside its trainings and pictures.

It is measured from pass to pass: what was idle at both ends of the time between two passes counts as idle in between. So
it is an estimate, and rather too low. Seconds are kept here until they are written, which is rare: a crash loses a few
minutes of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from avatar_api.avatar_runtime import EndpointStatus
from avatar_operator.runtime_lifecycle.work import Work


@dataclass(frozen=True)
class IdleInstances:
    """Instances without work, at one instant."""

    training: int = 0
    inference: int = 0


@dataclass(frozen=True)
class IdleTime:
    """Seconds of idle instances that no status says yet, and when one last did."""

    training: float
    inference: float
    since: datetime


def idle_instances(endpoints: Sequence[EndpointStatus], work: Work) -> IdleInstances:
    """How many instances do nothing. An instance trains one model at a time; whoever draws may keep all of them busy."""
    training = sum(endpoint.instances or 0 for endpoint in endpoints if endpoint.role == "Training")
    inference = sum(endpoint.instances or 0 for endpoint in endpoints if endpoint.role == "Inference")
    return IdleInstances(
        training=max(training - len(work.attempts), 0), inference=0 if work.drawing else inference
    )


class IdleMeter:
    """Measures one runtime.

    Args:
        now: the first instant.
    """

    def __init__(self, now: datetime) -> None:
        self._last = now
        self._idle = IdleInstances()
        self._time = IdleTime(0.0, 0.0, now)

    def note(self, now: datetime, idle: IdleInstances) -> IdleTime:
        """So many are idle at this instant. What is not written yet is returned."""
        seconds = max((now - self._last) / timedelta(seconds=1), 0.0)
        self._time = IdleTime(
            training=self._time.training + seconds * min(self._idle.training, idle.training),
            inference=self._time.inference + seconds * min(self._idle.inference, idle.inference),
            since=self._time.since,
        )
        self._last, self._idle = now, idle
        return self._time

    def written(self) -> None:
        """Everything stands in the status."""
        self._time = IdleTime(0.0, 0.0, self._last)
