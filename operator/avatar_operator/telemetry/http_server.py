"""/metrics, /healthz and /readyz, from a thread and an event loop of their own.

What they tell is gathered in the operator's loop, where everything lives. But a probe that is answered there fails as
soon as that loop is held for longer than the probe waits, be it by work: so the answer comes from here, and a loop that
does not turn for a moment is no reason for a restart. One that does not turn for half a minute is. Whether everything has
been listed can be read from any thread, and is: the first list is what holds the loop for longest.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from avatar_operator.errors import StartUpError
from avatar_operator.telemetry.loop_watch import LoopWatch

T = TypeVar("T")
Checks = Callable[[], Mapping[str, str]]
ASK_SECONDS = 0.5
"""The kubelet gives a probe one second if the Pod does not say otherwise."""
SCRAPE_SECONDS = 9.0
"""Prometheus gives a scrape ten seconds if its configuration does not say otherwise."""
LOOP_STUCK_SECONDS = 30.0


class HttpServer:
    """Serves probes and metrics. A check returns what is wrong, by name; nothing if all is well.

    Args:
        registry: what /metrics shows.
        liveness: is asked in the loop that runs the server.
        readiness: is asked in the server's own thread.
        loop_watch: says for how long that loop has been standing.
        loop_stuck_seconds: a loop that stands for longer is not alive.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        liveness: Checks,
        readiness: Checks,
        loop_watch: LoopWatch,
        loop_stuck_seconds: float = LOOP_STUCK_SECONDS,
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._readiness = readiness
        self._loop_watch = loop_watch
        self._loop_stuck_seconds = loop_stuck_seconds

    async def run(self, host: str, port: int) -> None:
        """Serve until cancelled.

        Raises:
            StartUpError: the port is not to be had.
        """
        asked_loop = asyncio.get_running_loop()
        failure: asyncio.Future[None] = asked_loop.create_future()
        serving_loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        def serve() -> None:
            with asyncio.Runner(loop_factory=lambda: serving_loop) as runner:
                try:
                    runner.run(self._serve(host, port, asked_loop, stop))
                except OSError as error:
                    if not asked_loop.is_closed():
                        asked_loop.call_soon_threadsafe(partial(_fail, failure, error))

        thread = threading.Thread(target=serve, name="http", daemon=True)
        thread.start()
        try:
            await failure
        except OSError as error:
            raise StartUpError(
                f"cannot listen on {host}:{port}: {error.strerror}; AVATAR_OPERATOR_HTTP_PORT sets another port"
            ) from error
        finally:
            if not serving_loop.is_closed():
                serving_loop.call_soon_threadsafe(stop.set)

    async def _serve(
        self, host: str, port: int, asked_loop: asyncio.AbstractEventLoop, stop: asyncio.Event
    ) -> None:
        async def ask(question: Callable[[], T], seconds: float) -> T:
            async def answer() -> T:
                return question()

            asked = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answer(), asked_loop))
            return await asyncio.wait_for(asked, seconds)

        async def healthz(_: web.Request) -> web.Response:
            try:
                return _answer(await ask(self._liveness, ASK_SECONDS))
            except TimeoutError:
                return _answer(self._standing_loop())

        async def readyz(_: web.Request) -> web.Response:
            return _answer({**self._readiness(), **self._standing_loop()})

        async def metrics(_: web.Request) -> web.Response:
            try:
                body = await ask(lambda: generate_latest(self._registry), SCRAPE_SECONDS)
            except TimeoutError:
                return _answer({"loop": "the event loop is held by something else"})
            return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", metrics),
                web.get("/healthz", healthz),
                web.get("/readyz", readyz),
            ]
        )
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            await stop.wait()
        finally:
            await runner.cleanup()

    def _standing_loop(self) -> Mapping[str, str]:
        seconds = self._loop_watch.standing_for()
        if seconds <= self._loop_stuck_seconds:
            return {}
        return {"loop": f"the event loop has not turned for {seconds:.0f} s"}


def _answer(problems: Mapping[str, str]) -> web.Response:
    if not problems:
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "failing", "problems": dict(problems)}, status=503)


def _fail(failure: asyncio.Future[None], error: OSError) -> None:
    if not failure.done():
        failure.set_exception(error)
