"""Getting letters to where they are going: in order, again and again, and not for ever.

A letter is one piece of news on its way to one place: an Event beside its object, or a runtime's status topic. Letters to
one place about one object keep their order; a place that cannot be reached keeps nobody else waiting, because each has
lanes of its own, and so has each namespace that takes no Events, or has a topic to itself. In the lanes of a topic that is
everybody's namespaces take turns. They have no
lanes of their own there, because each lane tries by itself: a topic that is gone would be tried as often as there are
namespaces. A lane backs off while its place fails. A letter that
has waited for an hour is given up, and so is one that is refused for what it is, at once. Both loudly: counted, logged,
and to be seen on the runtime whose topic it is (`place_troubles`).
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from avatar_operator.announcements.letter import EVENTS, Letter, UndeliverableError
from avatar_operator.announcements.place_troubles import PlaceTrouble, PlaceTroubles
from avatar_operator.core.defects import defect
from avatar_operator.core.tenant import on_behalf_of
from avatar_operator.core.turns import Turns
from avatar_operator.kube.leadership import LeadershipLostError

log = structlog.get_logger(__name__)

LANES = 4
"""Of one place: for a topic, and for the Events of one namespace."""
AT_ONCE = 2 * LANES
"""Letters that are on their way to one destination at the same time: a namespace that never answers holds half of them."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
PATIENCE_SECONDS = 3600.0
MAX_WAITING = 10_000
"""Letters that one lane keeps; beyond, the oldest is given up of the namespace that has most of them."""
TROUBLE_TRIES = 3
"""Failures in a row after which a place counts as unreachable: fewer are hiccups."""
OUTCOMES = ("Delivered", "Retried", "Refused", "GivenUp")


Deliver = Callable[[Letter], Awaitable[None]]


class LetterMetrics:
    """The series about letters.

    Args:
        registry: where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.letters = Counter(
            "avatar_announcements",
            "Tries to write an Event or tell a topic; GivenUp and Refused are news that nobody got.",
            ("sink", "outcome"),
            registry=registry,
        )
        self.waiting = Gauge(
            "avatar_announcements_waiting", "News that is not told yet.", ("sink",), registry=registry
        )
        for sink in ("Event", "Topic"):
            self.waiting.labels(sink)
            for outcome in OUTCOMES:
                self.letters.labels(sink, outcome)

    def tried(self, letter: Letter, outcome: str) -> None:
        """One try ended."""
        self.letters.labels(_sink(letter), outcome).inc()


@dataclass(frozen=True)
class _Place:
    """What may fail by itself: a topic, or what is one namespace's: its Events, its topic; and some of the objects that it
    is told about.
    """

    destination: str
    namespace: str
    share: int

    @property
    def address(self) -> tuple[str, str]:
        """What its lanes have in common."""
        return self.destination, self.namespace


@dataclass
class _Lane:
    letters: Turns[str, Letter] = field(default_factory=Turns)

    def next(self) -> Letter:
        """The letter that is tried now, until it has arrived or is given up."""
        return self.letters.first_of(self.letters.next_party())

    failures: int = 0
    moving: bool = False


class PostOffice:
    """Delivers letters for as long as it runs.

    Args:
        deliver: takes one letter where it is going; raises UndeliverableError.
        metrics: the series.
        on_trouble: called with a destination of which something else is to be said.
    """

    def __init__(self, deliver: Deliver, metrics: LetterMetrics, on_trouble: Callable[[str], None]) -> None:
        self._deliver = deliver
        self._metrics = metrics
        self._troubles = PlaceTroubles(on_trouble)
        self._lanes: dict[_Place, _Lane] = {}
        self._doors: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for place, lane in self._lanes.items():
                self._keep_moving(place, lane)
            await asyncio.Event().wait()

    async def flush(self) -> None:
        """Try every letter that waits once more, without waiting for any that fails: before the process ends."""
        await asyncio.gather(*(self._try_once(lane) for lane in self._lanes.values()))

    def post(self, letter: Letter) -> None:
        """Take one letter; it is delivered as soon as it can be."""
        place = _place_of(letter)
        lane = self._lanes.setdefault(place, _Lane())
        lane.letters.add(letter.namespace, letter)
        self._metrics.waiting.labels(_sink(letter)).inc()
        if len(lane.letters) > MAX_WAITING:
            oldest = lane.letters.first_of(lane.letters.longest_line())
            self._give_up(lane, oldest, "GivenUp", "TooManyWait", f"More than {MAX_WAITING} wait.")
        self._keep_moving(place, lane)

    def waiting(self) -> Iterator[Letter]:
        """Every letter that has not arrived yet."""
        for lane in self._lanes.values():
            yield from lane.letters

    def trouble(self, destination: str) -> PlaceTrouble | None:
        """Why a destination does not hear everything; None if it does, as far as is known."""
        return self._troubles.of(destination)

    def _keep_moving(self, place: _Place, lane: _Lane) -> None:
        if self._group is not None and not lane.moving:
            lane.moving = True
            self._group.create_task(self._empty(place, lane))

    async def _empty(self, place: _Place, lane: _Lane) -> None:
        while lane.letters:
            try:
                pause = await self._try(lane, lane.next())
            except LeadershipLostError:
                # The elector ends this process.
                return
            if pause:
                await asyncio.sleep(pause)
        del self._lanes[place]
        if place.namespace and not any(replace(place, share=share) in self._lanes for share in range(LANES)):
            # Perhaps the namespace is gone, and its topic with it: no letter would ever end the trouble.
            self._troubles.reached(*place.address)

    async def _try_once(self, lane: _Lane) -> None:
        for letter in tuple(lane.letters):
            if await self._try(lane, letter):
                break

    async def _try(self, lane: _Lane, letter: Letter) -> float:
        """Deliver a letter, or give it up; the seconds are returned that its lane has to wait if it is neither."""
        try:
            async with self._doors[letter.destination]:
                with on_behalf_of(letter.namespace):
                    await self._deliver(letter)
        except UndeliverableError as error:
            return self._failed(lane, letter, error)
        except LeadershipLostError:
            # It is the next leader's to tell, and the cursor must not pass it.
            raise
        except Exception as error:  # one letter's defect must not hold the rest
            log.exception("a letter cannot be written", **_fields(letter))
            told = defect(error)
            self._give_up(lane, letter, "Refused", told.reason, told.message)
        else:
            self._end(lane, letter, "Delivered")
            self._reached(lane, letter)
        return 0.0

    def _failed(self, lane: _Lane, letter: Letter, error: UndeliverableError) -> float:
        if error.hopeless:
            self._give_up(lane, letter, "Refused", error.reason, error.message)
            self._reached(lane, letter)
            return 0.0
        lane.failures += 1
        if lane.failures >= TROUBLE_TRIES:
            self._troubles.out_of_reach(
                *_place_of(letter).address, reason=error.reason, message=error.message
            )
        if _now() - letter.written > PATIENCE_SECONDS:
            self._give_up(lane, letter, "GivenUp", error.reason, error.message)
            return 0.0
        self._metrics.tried(letter, "Retried")
        log.debug("news could not be told yet", reason=error.reason, why=error.message, **_fields(letter))
        doublings = min(lane.failures - 1, 10)
        return min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS)

    def _give_up(self, lane: _Lane, letter: Letter, outcome: str, reason: str, message: str) -> None:
        self._end(lane, letter, outcome)
        self._troubles.lost(*_place_of(letter).address, reason=reason, message=message)
        log.warning("news could not be told", outcome=outcome, reason=reason, why=message, **_fields(letter))

    def _end(self, lane: _Lane, letter: Letter, outcome: str) -> None:
        # The letter may have been given up for want of room while it was being delivered.
        if lane.letters.is_first(letter.namespace, letter):
            lane.letters.drop_first_of(letter.namespace)
            self._metrics.waiting.labels(_sink(letter)).dec()
        self._metrics.tried(letter, outcome)

    def _reached(self, lane: _Lane, letter: Letter) -> None:
        lane.failures = 0
        self._troubles.reached(*_place_of(letter).address)


def _place_of(letter: Letter) -> _Place:
    # One topic may take letters about all namespaces; Events are refused by the namespace that they lie in.
    namespace = letter.namespace if letter.apart else ""
    return _Place(letter.destination, namespace, zlib.crc32(letter.uid.encode()) % LANES)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _sink(letter: Letter) -> str:
    return "Event" if letter.destination == EVENTS else "Topic"


def _fields(letter: Letter) -> dict[str, object]:
    return {
        "sink": _sink(letter),
        "kind": letter.kind.kind,
        "namespace": letter.namespace,
        "name": letter.body["metadata"]["name"],
        "uid": letter.uid,
        "news": letter.news.notice.reason,
    }
