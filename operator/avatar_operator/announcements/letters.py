"""Getting letters to where they are going: in order, again and again, and not for ever.

A letter is one piece of news on its way to one place: an Event beside its object, or a runtime's status topic. Letters to
one place about one object keep their order; a place that cannot be reached keeps nobody else waiting, because each has
lanes of its own. A lane backs off while its place fails, and a letter that has waited for an hour is given up, loudly:
counted, logged, and to be seen on the runtime whose topic it is.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from avatar_api.group import Kind
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Retry
from avatar_operator.core.news import News
from avatar_operator.kube.client import Object

log = structlog.get_logger(__name__)

EVENTS = ""
"""The destination of Events; all others are names of runtimes."""
LANES = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
PATIENCE_SECONDS = 3600.0
MAX_WAITING = 10_000
"""Letters that one lane keeps; beyond, the oldest is given up."""
TROUBLE_TRIES = 3
"""Failures in a row after which a place counts as unreachable: fewer are hiccups."""
OUTCOMES = ("Delivered", "Retried", "Refused", "GivenUp")


class UndeliverableError(Exception):
    """A letter did not arrive.

    Attributes:
        reason: one CamelCase word.
        message: what happened and how to mend it, for a person.
        hopeless: trying again cannot help.
    """

    def __init__(self, reason: str, message: str, *, hopeless: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.hopeless = hopeless


@dataclass(frozen=True)
class Letter:
    """One piece of news on its way to one place.

    Attributes:
        destination: EVENTS, or the name of the runtime whose topic is to be told.
        kind: of the object.
        body: the object's kind, and its name, namespace, uid and resourceVersion, as they were.
        version: the object's resourceVersion.
        news: what is told.
        written: seconds on the loop's clock when it was posted.
    """

    destination: str
    kind: Kind
    body: Object
    version: int
    news: News
    written: float

    @property
    def uid(self) -> str:
        """The object's uid."""
        return str(self.body["metadata"]["uid"])


Deliver = Callable[[Letter], Awaitable[None]]


class LetterMetrics:
    """The series about letters.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.letters = Counter(
            "avatar_announcements",
            "Tries to tell news, by where to and what became of them.",
            ("sink", "outcome"),
            registry=registry,
        )
        self.waiting = Gauge(
            "avatar_announcements_waiting", "News not told yet.", ("sink",), registry=registry
        )
        for sink in ("Event", "Topic"):
            self.waiting.labels(sink)
            for outcome in OUTCOMES:
                self.letters.labels(sink, outcome)

    def tried(self, letter: Letter, outcome: str) -> None:
        """One try ended."""
        self.letters.labels(_sink(letter), outcome).inc()


@dataclass
class _Lane:
    letters: deque[Letter] = field(default_factory=deque)
    failures: int = 0
    task: asyncio.Task[None] | None = None


class PostOffice:
    """Delivers letters for as long as it runs.

    Args:
        deliver: takes one letter where it is going; raises UndeliverableError.
        clock: dates troubles.
        metrics: the series.
        on_trouble: called with a destination whose reachability has changed.
    """

    def __init__(
        self, deliver: Deliver, clock: Clock, metrics: LetterMetrics, on_trouble: Callable[[str], None]
    ) -> None:
        self._deliver = deliver
        self._clock = clock
        self._metrics = metrics
        self._on_trouble = on_trouble
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._troubles: dict[str, Retry] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for lane in self._lanes.values():
                self._keep_moving(lane)
            await asyncio.Event().wait()

    async def flush(self) -> None:
        """Try every letter that waits once more, without waiting for any that fails: before the process ends."""
        for lane in self._lanes.values():
            for letter in tuple(lane.letters):
                try:
                    await self._deliver(letter)
                except UndeliverableError as error:
                    if not error.hopeless:
                        break
                    self._done(lane, letter, "Refused", why=error.message)
                except Exception as error:  # one letter's defect must not hold the rest
                    log.exception("a letter cannot be written", **_fields(letter))
                    self._done(lane, letter, "Refused", why=str(error))
                else:
                    self._done(lane, letter, "Delivered")
                    self._reachable(lane, letter.destination)

    def post(self, letter: Letter) -> None:
        """Take one letter; it is delivered as soon as it can be."""
        key = (letter.destination, zlib.crc32(letter.uid.encode()) % LANES)
        lane = self._lanes.setdefault(key, _Lane())
        lane.letters.append(letter)
        self._metrics.waiting.labels(_sink(letter)).inc()
        if len(lane.letters) > MAX_WAITING:
            self._done(lane, lane.letters[0], "GivenUp", why="too many wait")
        self._keep_moving(lane)

    def waiting(self) -> Iterator[Letter]:
        """Every letter that has not arrived yet."""
        for lane in self._lanes.values():
            yield from lane.letters

    def trouble(self, destination: str) -> Retry | None:
        """Why a place cannot be reached; None if it can, as far as is known."""
        return self._troubles.get(destination)

    def _keep_moving(self, lane: _Lane) -> None:
        if self._group is not None and lane.letters and (lane.task is None or lane.task.done()):
            lane.task = self._group.create_task(self._empty(lane))

    async def _empty(self, lane: _Lane) -> None:
        while lane.letters:
            letter = lane.letters[0]
            try:
                await self._deliver(letter)
            except UndeliverableError as error:
                await self._failed(lane, letter, error)
            except Exception as error:  # one letter's defect must not hold the rest
                log.exception("a letter cannot be written", **_fields(letter))
                self._done(lane, letter, "Refused", why=str(error))
            else:
                self._done(lane, letter, "Delivered")
                self._reachable(lane, letter.destination)

    async def _failed(self, lane: _Lane, letter: Letter, error: UndeliverableError) -> None:
        lane.failures += 1
        if lane.failures >= TROUBLE_TRIES or error.hopeless:
            self._unreachable(letter.destination, error)
        if error.hopeless:
            self._done(lane, letter, "Refused", why=error.message)
        elif self._now() - letter.written > PATIENCE_SECONDS:
            self._done(lane, letter, "GivenUp", why=error.message)
        else:
            self._metrics.tried(letter, "Retried")
            log.debug("news could not be told yet", reason=error.reason, why=error.message, **_fields(letter))
            doublings = min(lane.failures - 1, 10)
            await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS))

    def _done(self, lane: _Lane, letter: Letter, outcome: str, *, why: str = "") -> None:
        # The letter may have been given up for want of room while it was being delivered.
        if lane.letters and lane.letters[0] is letter:
            lane.letters.popleft()
            self._metrics.waiting.labels(_sink(letter)).dec()
        self._metrics.tried(letter, outcome)
        if outcome != "Delivered":
            log.warning("news could not be told", outcome=outcome, why=why, **_fields(letter))

    def _unreachable(self, destination: str, error: UndeliverableError) -> None:
        known = self._troubles.get(destination)
        if known is None or known.reason != error.reason:
            self._troubles[destination] = Retry(error.reason, error.message)
            self._on_trouble(destination)

    def _reachable(self, lane: _Lane, destination: str) -> None:
        lane.failures = 0
        if self._troubles.pop(destination, None) is not None:
            self._on_trouble(destination)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _sink(letter: Letter) -> str:
    return "Event" if letter.destination == EVENTS else "Topic"


def _fields(letter: Letter) -> dict[str, object]:
    metadata = letter.body["metadata"]
    return {
        "sink": _sink(letter),
        "kind": letter.kind.kind,
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "news": letter.news.notice.reason,
    }
