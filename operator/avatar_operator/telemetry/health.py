"""What the probes are told: alive means that a restart would not help, ready means that the cache can be trusted.

Liveness is lack of progress, never load. A queue of four hundred requests of half a minute each is healthy for as long
as keys keep being handed out and finished: a restart would only fill it again. What a restart does help against is a
queue in which nothing moves, a watch that every sweep finds behind, and an event loop that stands. The last is the
HTTP server's own finding: a loop that stands cannot be asked.

A replica that stands by is ready: it is meant to be, and a rolling update waits for it.
"""

from collections.abc import Callable, Mapping

from avatar_api.group import Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey


class Health:
    """Answers both probes with what is wrong, by name; nothing if all is well.

    Args:
        queues: by kind.
        watch_lags: seconds by plural, as the sweeper knows them.
        stuck_seconds: a queue in which nothing moves for longer is stuck.
        stale_watch_seconds: a watch that has been behind for longer is dead.
    """

    def __init__(
        self,
        queues: Mapping[Kind, WorkQueue[ObjectKey]],
        watch_lags: Callable[[], Mapping[str, float]],
        *,
        stuck_seconds: float,
        stale_watch_seconds: float,
    ) -> None:
        self._queues = queues
        self._watch_lags = watch_lags
        self._stuck_seconds = stuck_seconds
        self._stale_watch_seconds = stale_watch_seconds
        self._listed = False

    def note_listed(self) -> None:
        """Every kind has been listed: the cache is complete."""
        self._listed = True

    def liveness(self) -> Mapping[str, str]:
        """Why a restart would help."""
        problems = {}
        for plural, lag in self._watch_lags().items():
            if lag > self._stale_watch_seconds:
                problems[f"watch {plural}"] = f"the watch has missed changes for {lag:.0f} s"
        for kind, queue in self._queues.items():
            stalled = queue.stalled_for()
            if stalled > self._stuck_seconds:
                problems[f"queue {kind.plural}"] = (
                    f"{len(queue)} keys wait, and none was handed out or finished for {stalled:.0f} s"
                )
        return problems

    def readiness(self) -> Mapping[str, str]:
        """Why the cache cannot be trusted. May be asked from any thread."""
        return {} if self._listed else {"cache": "the first list is not complete"}
