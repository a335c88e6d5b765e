"""/metrics, /healthz and /readyz.

Liveness means that a restart would help: the event loop turns, the watch has not fallen behind what a list shows, and
no key is stuck in a queue. Readiness means that decisions rest on a complete view: every kind has been listed.
"""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from avatar_operator.errors import StartUpError

Checks = Callable[[], Mapping[str, str]]


class HttpServer:
    """Serves probes and metrics. A check returns what is wrong, by name; nothing if all is well."""

    def __init__(self, registry: CollectorRegistry, *, liveness: Checks, readiness: Checks) -> None:
        self._registry = registry
        self._liveness = liveness
        self._readiness = readiness

    async def run(self, host: str, port: int) -> None:
        """Serve until cancelled.

        Raises:
            StartUpError: the port is not to be had.
        """
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", lambda _: _answer(self._liveness())),
                web.get("/readyz", lambda _: _answer(self._readiness())),
            ]
        )
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            await asyncio.Event().wait()
        except OSError as error:
            raise StartUpError(
                f"cannot listen on {host}:{port}: {error.strerror}; AVATAR_OPERATOR_HTTP_PORT sets another port"
            ) from error
        finally:
            await runner.cleanup()

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


async def _answer(problems: Mapping[str, str]) -> web.Response:
    if not problems:
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "failing", "problems": dict(problems)}, status=503)
