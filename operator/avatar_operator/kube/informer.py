"""kopf as the informer: it watches our kinds and calls one function with whatever it sees. Nothing more.

kopf's create, update and delete handlers, its timers and its indexes are not used: they keep progress in annotations
(two writes per retry), pin a task per object, or take quadratic time at start. `on.event` writes nothing and costs half
a millisecond. The measurements are in docs/decisions/0002-kopf-as-informer.md.

kopf runs in a thread and an event loop of its own: it installs signal handlers and, when it ends, cancels every task it
finds in its loop, and neither may touch the rest of the operator. What it sees is handed over to our loop.

Watches are given explicit time-outs: a watch that died silently is the oldest complaint about kopf operators. And kopf gives
up: after a minute of an API server that answers 500 or 403, and with the first 401 that the same credentials get again. It
is started anew then, lists everything, and what it missed meanwhile is seen.

In the whole cluster there is one watch for each kind. Where namespaces are named there is one for each namespace, too; one of them
that is refused ends kopf as a whole, so before it is started anew it is found out which of them can be watched.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import kopf
import structlog

from avatar_api.group import GROUP, KINDS, VERSION, Kind
from avatar_operator.kube.client import Object
from avatar_operator.kube.connection import in_cluster_server
from avatar_operator.kube.kubernetes_client import PAGE_SIZE
from avatar_operator.kube.watched_namespaces import WatchedNamespaces

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
END_SECONDS = 1.0
logger = structlog.get_logger(__name__)
_IDENTITY: Any = "avatar-operator"
"""A name for kopf's peering, which is off. Without one kopf looks up the user's name, and in a container whose uid has
no entry in /etc/passwd there is none: it cannot start."""


class Seen(Protocol):
    """Called with every object the watch shows; `deleted` if it was the last sight of it."""

    def __call__(self, kind: Kind, body: Object, *, deleted: bool) -> None: ...


class Informer:
    """Watches our kinds for ever.

    Args:
        seen: called in the loop that runs the informer.
        namespaces: where it watches.
        look_again: finds out which of some namespaces can be watched.
    """

    def __init__(
        self,
        seen: Seen,
        namespaces: WatchedNamespaces,
        look_again: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self._seen = seen
        self._namespaces = namespaces
        self._look_again = look_again
        self._ended: asyncio.Future[str] | None = None

    def begin_anew(self) -> None:
        """Watch other namespaces than before, from a moment later on."""
        if self._ended is not None:
            _settle(self._ended, "other namespaces can be watched than before")

    async def run(self) -> None:
        """Watch until cancelled."""
        self._loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = self._loop.time()
            why = await self._watch_until_kopf_gives_up()
            if self._loop.time() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            logger.warning("the watches ended, and begin anew", why=why, in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            if opened := self._namespaces.open():
                await self._look_again(opened)

    async def _watch_until_kopf_gives_up(self) -> str:
        """Why it did."""
        stop = threading.Event()
        ended: asyncio.Future[str] = self._loop.create_future()
        self._ended = ended
        kinds, where = self._kinds_and_namespaces()

        def settle(why: str) -> None:
            # A thread of kopf's waits for it, and its loop does not end before that thread.
            stop.set()
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_settle, ended, why)

        async def operate() -> None:
            tasks = await kopf.spawn_tasks(
                registry=self._registry(kinds),
                settings=_settings(),
                clusterwide=not where,
                namespaces=where,
                standalone=True,
                identity=_IDENTITY,
                stop_flag=stop,
            )
            # Not `kopf.operator`: when one of these has ended it cancels the others once and waits for them, and a watch that
            # was about to log in anew, or to begin anew, misses that, so it would wait for ever.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            settle("; ".join(_why(task) for task in done))
            await _end_everything()

        def watch() -> None:
            try:
                asyncio.run(operate())
            except Exception as error:
                settle(_words(error))

        thread = threading.Thread(target=watch, name="kopf", daemon=True)
        thread.start()
        try:
            return await ended
        finally:
            stop.set()

    def _kinds_and_namespaces(self) -> tuple[Sequence[Kind], Sequence[str]]:
        """What is watched, and in which namespaces; in none stands for everywhere."""
        opened = self._namespaces.open()
        if opened or self._namespaces.scope.is_whole_cluster:
            return KINDS, opened
        return [kind for kind in KINDS if not kind.namespaced], ()

    def _registry(self, kinds: Sequence[Kind]) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        kopf.on.login(registry=registry)(log_in)
        for kind in kinds:
            self._watch(registry, kind)
        return registry

    def _watch(self, registry: kopf.OperatorRegistry, kind: Kind) -> None:
        @kopf.on.event(GROUP, VERSION, kind.plural, registry=registry, id=f"seen-{kind.plural}")
        async def see(event: kopf.RawEvent, **_: Any) -> None:
            deleted = event["type"] == "DELETED"
            self._loop.call_soon_threadsafe(partial(self._seen, kind, dict(event["object"]), deleted=deleted))


def log_in(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """The credentials and the address of `connection.connect`, as kopf wants them.

    kopf itself would go to kubernetes.default.svc, and so would have no watch where, or while, a cluster's DNS does not answer.
    """
    as_service_account = kopf.login_with_service_account(**kwargs)
    if as_service_account is None:
        return kopf.login_with_kubeconfig(**kwargs)
    return replace(as_service_account, server=in_cluster_server())


def _why(task: "asyncio.Task[Any]") -> str:
    error = None if task.cancelled() else task.exception()
    return "kopf stopped" if error is None else _words(error)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


async def _end_everything() -> None:
    """Cancel whatever else runs in this loop, again and again: a watch that misses that goes on, and its thread with it."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=END_SECONDS)


def _settle(ended: asyncio.Future[str], why: str) -> None:
    if not ended.done():
        ended.set_result(why)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    # kopf's thread holds the interpreter's lock while json decodes, and with it our loop.
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.server_timeout = 270
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.queueing.idle_timeout = 0.1
    return settings
