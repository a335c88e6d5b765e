"""The HTTP server answers whatever the operator's event loop does."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from avatar_operator.errors import StartUpError
from avatar_operator.telemetry.http_server import HttpServer
from avatar_operator.telemetry.loop_watch import LoopWatch
from local_cluster.free_ports import free_port


class Reception:
    """A server whose checks the test decides, and an event loop that the test can hold."""

    def __init__(self, port: int, *, loop_stuck_seconds: float = 30.0) -> None:
        self.problems: Mapping[str, str] = {}
        self.unready: Mapping[str, str] = {}
        registry = CollectorRegistry()
        Counter("avatar_things", "Things.", registry=registry).inc(3)
        self.loop_watch = LoopWatch(registry)
        self.server = HttpServer(
            registry,
            liveness=lambda: self.problems,
            readiness=lambda: self.unready,
            loop_watch=self.loop_watch,
            loop_stuck_seconds=loop_stuck_seconds,
        )
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._closed = asyncio.Event()

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=20)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve in a thread, as the operator does in its main one."""

        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        thread.start()
        try:
            self._wait_until_it_answers()
            yield
        finally:
            self._loop.call_soon_threadsafe(self._closed.set)
            thread.join(20)

    async def _serve(self) -> None:
        tasks = [
            asyncio.create_task(self.loop_watch.run()),
            asyncio.create_task(self.server.run("127.0.0.1", self._port)),
        ]
        await self._closed.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    @contextmanager
    def held_loop(self) -> Iterator[None]:
        """Hold the operator's loop, as a long computation in it does."""
        held, release = threading.Event(), threading.Event()

        def hold() -> None:
            held.set()
            release.wait(60)

        self._loop.call_soon_threadsafe(hold)
        assert held.wait(20)
        try:
            yield
        finally:
            release.set()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.get("/readyz")
                return
            except httpx.HTTPError:
                assert time.monotonic() < deadline
                time.sleep(0.01)


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    return free_port()


def test_what_is_well_answers_200_and_what_is_not_says_why(port: int) -> None:
    reception = Reception(port)
    with reception.open():
        reception.unready = {"cache": "empty"}
        healthy, unready = reception.get("/healthz"), reception.get("/readyz")
        reception.problems, reception.unready = {"queue": "stuck"}, {}
        unhealthy, ready = reception.get("/healthz"), reception.get("/readyz")

    assert (healthy.status_code, ready.status_code) == (200, 200)
    assert (unhealthy.status_code, unhealthy.json()["problems"]) == (503, {"queue": "stuck"})
    assert (unready.status_code, unready.json()["problems"]) == (503, {"cache": "empty"})


def test_metrics_are_served(port: int) -> None:
    reception = Reception(port)
    with reception.open():
        assert "avatar_things_total 3.0" in reception.get("/metrics").text


def test_a_loop_that_is_held_for_a_moment_is_alive(port: int) -> None:
    reception = Reception(port)
    with reception.open(), reception.held_loop():
        assert reception.get("/healthz").status_code == 200


def test_a_loop_that_is_held_before_everything_is_listed_is_not_ready(port: int) -> None:
    reception = Reception(port)
    with reception.open(), reception.held_loop():
        ready = reception.get("/readyz")
        reception.unready = {"cache": "empty"}
        unready = reception.get("/readyz")

    assert ready.status_code == 200
    assert (unready.status_code, unready.json()["problems"]) == (503, {"cache": "empty"})


def test_a_loop_that_does_not_turn_is_not_alive(port: int) -> None:
    reception = Reception(port, loop_stuck_seconds=0.2)
    with reception.open(), reception.held_loop():
        answers = [reception.get("/healthz"), reception.get("/readyz")]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("has not turned" in answer.json()["problems"]["loop"] for answer in answers)


async def test_a_port_that_is_taken_names_the_variable_that_sets_another(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(StartUpError, match="AVATAR_OPERATOR_HTTP_PORT"):
            await Reception(port).server.run("127.0.0.1", port)
