"""The outbox: whatever a status says that is worth telling is told, once, however often the process dies.

Nothing is kept for it but one number a kind. News derive from the status (`core.news`), so every version of every object
that the cache takes is read for news, and those that its former version did not carry are posted. After a crash the same
reading starts at a cursor: the resourceVersion up to which everything had been told. The cursor rides on the leader's
Lease, which is renewed every few seconds anyway. What was told after the last renewal is told again, under the same
ids, so the second time changes nothing.

A status stands in the API server some milliseconds before the cache shows it, and the cache may show younger ones of
other objects by then. So while one is being written, the cursor stays where it was (`writing`).

So the order is: the status first, then its news. A topic that cannot be reached delays news and never state.

Without any cursor (an operator that starts here for the first time) what stands already is old, and is not told. A cursor
beyond what the API server has come to is of a time before etcd was restored from a backup: nobody can know what has been
told of what stands now, so all of it is told again.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pydantic import ValidationError

from avatar_api.group import KINDS, Kind
from avatar_operator.announcements.announcer import Announcement, Announcer
from avatar_operator.announcements.letter import EVENTS, Letter, UndeliverableError
from avatar_operator.announcements.place_troubles import PlaceTrouble
from avatar_operator.announcements.post_office import LetterMetrics, PostOffice
from avatar_operator.announcements.recipients import concerned_runtime, has_topics_apart, topic_of
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Notice
from avatar_operator.core.news import News
from avatar_operator.kube.cache import ObjectCache, ObjectKey, version_of
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.kube.events import EventRecorder
from avatar_operator.kube.lookup import find_runtime
from avatar_operator.kube.memory import Memory

CURSOR_ANNOTATION = "avatars.dev/told-"
MAX_DIGITS = 20
"""Of a resourceVersion, which is an unsigned number of 64 bits."""
FAREWELL = "farewell"
"""The occasion of what is told of an object that is about to go: each reason once in its life."""
OBJECTS_PER_TURN = 25
"""Objects that are read in one turn of the event loop when the reading starts."""
NewsOf = Callable[[Object], tuple[News, ...]]


class Outbox:
    """Reads every status for news, and has them told.

    Args:
        cache: where statuses are seen; `begin` starts the reading.
        news_of: reads one kind's object for news. Pure.
        recorder: writes Events.
        announcer: tells status topics.
        clock: dates farewells.
        metrics: the series about letters.
        on_trouble: called with the name of a runtime of whose topic something else is to be said.
    """

    def __init__(
        self,
        cache: ObjectCache,
        news_of: Mapping[Kind, NewsOf],
        recorder: EventRecorder,
        announcer: Announcer,
        clock: Clock,
        metrics: LetterMetrics,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._cache = cache
        self._news_of = news_of
        self._recorder = recorder
        self._announcer = announcer
        self._clock = clock
        self._office = PostOffice(
            self._deliver,
            metrics,
            lambda destination: on_trouble(destination) if destination != EVENTS else None,
        )
        self._told: Memory[frozenset[str]] = Memory(cache, frozenset())
        """The ids of the news in an object's newest status."""
        self._farewells: Memory[frozenset[str]] = Memory(cache, frozenset())
        """The ids of what was told in farewell."""
        self._handed_on: dict[Kind, int] = {}
        """By kind, what `cursor` said last."""
        self._unseen: dict[str, tuple[Kind, int]] = {}
        """By uid, where the cursor stood when the write of a status began that the cache does not show yet."""
        self._reading = False
        self._has_begun = False
        cache.subscribe(self._changed)

    async def begin(self, cursor: Mapping[str, str]) -> None:
        """Start reading, with what the cache holds.

        Args:
            cursor: annotations of the Lease: up to where everything had been told.
        """
        self._reading = True
        for kind in KINDS:
            until = self._told_until(kind, cursor)
            for number, key in enumerate(self._cache.keys(kind)):
                if number % OBJECTS_PER_TURN == 0:
                    await asyncio.sleep(0)
                body = self._cache.get(key)
                if body is not None:
                    self._read(kind, body, post=until is not None and version_of(body) > until)
        self._has_begun = True

    def _told_until(self, kind: Kind, cursor: Mapping[str, str]) -> int | None:
        told = cursor.get(f"{CURSOR_ANNOTATION}{kind.plural}", "")
        if not told.isdecimal() or len(told) > MAX_DIGITS:
            return None
        return int(told) if int(told) <= self._cache.listed(kind) else 0

    def cursor(self) -> Mapping[str, str]:
        """Annotations for the Lease: up to where everything has been told. Empty until everything has been read."""
        if not self._has_begun:
            return {}
        until = {kind: self._newest(kind) for kind in KINDS}
        for letter in self._office.waiting():
            until[letter.kind] = min(until[letter.kind], letter.version - 1)
        for kind, stood_at in self._unseen.values():
            until[kind] = min(until[kind], stood_at)
        self._handed_on = until
        return {f"{CURSOR_ANNOTATION}{kind.plural}": str(version) for kind, version in until.items()}

    def _newest(self, kind: Kind) -> int:
        # Not remembered: what a restored etcd shows is older than what has been seen.
        return max(map(version_of, self._cache.objects(kind)), default=self._cache.listed(kind))

    @contextmanager
    def writing(self, kind: Kind, uid: str) -> Iterator[None]:
        """Around the write of a status, and what shows it to the cache: the cursor does not pass it meanwhile.

        If the answer is lost, that goes on until the cache shows the object changed, or its status is written again.
        """
        self._unseen.setdefault(uid, (kind, self._handed_on.get(kind, 0)))
        try:
            yield
        except KubeError as error:
            if not error.is_passing:
                self._unseen.pop(uid, None)
            raise
        self._unseen.pop(uid, None)

    async def run(self) -> None:
        """Tell until cancelled."""
        await self._office.run()

    async def flush(self) -> None:
        """Tell what can be told at once: before the process ends."""
        await self._office.flush()

    def trouble(self, runtime_name: str) -> PlaceTrouble | None:
        """Why a runtime's topic does not hear everything; None if it does, as far as is known."""
        return self._office.trouble(runtime_name)

    async def farewell(self, body: Object, notice: Notice) -> None:
        """Have news of an object told that is about to go, once; never raises, never waits long. A crash may lose it."""
        uid = body["metadata"]["uid"]
        # The write that lets the object go may be refused, and the next pass says the same of a newer version.
        news = News(notice, occasion=FAREWELL, time=self._clock.now())
        known = self._farewells.of(uid)
        if news.id_of(uid) not in known:
            self._farewells.note(uid, known | {news.id_of(uid)})
            # Not told on the spot: a namespace that is going takes no Event, and nothing may wait for that.
            self._post(_kind_of(body), body, news)

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        self._unseen.pop(body["metadata"]["uid"], None)
        if self._reading and not deleted:
            self._read(kind, body, post=True)

    def _read(self, kind: Kind, body: Object, *, post: bool) -> None:
        uid = body["metadata"]["uid"]
        if not body.get("status"):
            return
        try:
            found = {news.id_of(uid): news for news in self._news_of[kind](body)}
        except ValidationError:
            # Another version wrote it, and tells it.
            return
        known = self._told.of(uid)
        self._told.note(uid, frozenset(found))
        for news_id, news in found.items():
            if post and news_id not in known:
                self._post(kind, body, news)

    def _post(self, kind: Kind, body: Object, news: News) -> None:
        now = asyncio.get_running_loop().time()
        about = _identity(body)
        self._office.post(Letter(EVENTS, kind, about, version_of(body), news, now, apart=True))
        runtime = concerned_runtime(self._cache, body)
        if news.notice.announce is None or runtime is None:
            return
        if topic_of(runtime, body["metadata"].get("namespace", "")) is not None:
            apart = has_topics_apart(runtime)
            self._office.post(Letter(runtime.metadata.name, kind, about, version_of(body), news, now, apart))

    async def _deliver(self, letter: Letter) -> None:
        if letter.destination == EVENTS:
            await self._record(letter)
        else:
            await self._announce(letter)

    async def _record(self, letter: Letter) -> None:
        try:
            await self._recorder.record(
                letter.body, letter.news.notice, notice_id=letter.news.id_of(letter.uid)
            )
        except KubeError as error:
            raise UndeliverableError(
                "ApiServerUnavailable" if error.is_passing else "EventRefused",
                str(error),
                hopeless=not error.is_passing,
            ) from error

    async def _announce(self, letter: Letter) -> None:
        runtime = find_runtime(self._cache, letter.destination, whole=False)
        notice, metadata = letter.news.notice, letter.body["metadata"]
        if runtime is None or notice.announce is None:
            return
        announcement = Announcement(
            type=notice.announce,
            id=letter.news.id_of(letter.uid),
            time=letter.news.time,
            kind=letter.kind,
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            uid=letter.uid,
            data={"reason": notice.reason, "message": notice.message},
        )
        try:
            await self._announcer.announce(runtime, announcement)
        except BackendError as error:
            raise UndeliverableError(error.reason, error.in_full, hopeless=not error.retryable) from error


def _identity(body: Object) -> Object:
    """What a letter has to know of an object. Thousands may wait for an hour, and annotations are as large as users like."""
    metadata = body["metadata"]
    names = ("name", "namespace", "uid", "resourceVersion")
    return {"kind": body["kind"], "metadata": {name: metadata[name] for name in names if name in metadata}}


def _kind_of(body: Object) -> Kind:
    return next(kind for kind in KINDS if kind.kind == body["kind"])
