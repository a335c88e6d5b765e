"""Watch the example until all its pictures are there, or until it is certain that they will not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from avatar_demo.errors import DemoError
from avatar_demo.live_view import View
from avatar_demo.narration import Trouble, duration, is_complete, narrate, trouble
from avatar_demo.observation import Observer, Snapshot

LOOK_EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""How long a failure that the operator tries to mend by itself may stand."""


class FlowFailed(DemoError):
    """The environment is up, but the example did not come to its end."""


@dataclass(frozen=True)
class Watch:
    """Who watches what.

    Attributes:
        observer: looks at the example.
        view: shows it.
        started: when the whole run did, on the monotonic clock.
        timeout: the seconds that it may take.
        look_around: called at each look; raises FlowFailed if something else than the example makes its end impossible.
    """

    observer: Observer
    view: View
    started: float
    timeout: float
    look_around: Callable[[], None] = lambda: None

    def to_the_end(self) -> Snapshot:
        """Look again and again, and return what is to be seen when everything is there.

        Raises:
            FlowFailed: it failed, or was not done in time.
        """
        patience = Patience(PATIENCE_SECONDS)
        with self.view:
            while True:
                snapshot = self.observer.observe()
                self.view.show(snapshot)
                if (failed := patience.exhausted_by(trouble(snapshot), time.monotonic())) is not None:
                    raise FlowFailed(f"{failed.subject} failed: {failed.reason}: {failed.message}")
                if None in (snapshot.runtime, snapshot.model, snapshot.request):
                    raise FlowFailed("somebody deleted an object of the example while the demo watched it")
                if is_complete(snapshot):
                    return snapshot
                self.look_around()
                if time.monotonic() - self.started > self.timeout:
                    state = "; ".join(f"{line.subject} {line.state}" for line in narrate(snapshot))
                    raise FlowFailed(f"not done after {duration(self.timeout)}: {state}")
                time.sleep(LOOK_EVERY_SECONDS)


class Patience:
    """Tells a failure that stands from one that passes.

    Args:
        seconds: how long one that may pass is tolerated.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether something is being tolerated."""
        return self._since is not None

    def exhausted_by(self, problem: Trouble | None, now: float) -> Trouble | None:
        """The trouble, if it is time to give up.

        Args:
            problem: what is wrong now, if anything.
            now: on a clock that never goes back.
        """
        if problem is None:
            self._since = None
            return None
        if not problem.may_pass:
            return problem
        if self._since is None:
            self._since = now
        return problem if now - self._since >= self._seconds else None
