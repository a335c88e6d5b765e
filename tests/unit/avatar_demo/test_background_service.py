"""Programs that outlive the command that started them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_demo.background_service import BackgroundService
from avatar_demo.errors import DemoError
from local_cluster.free_ports import free_port

SERVER = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[BackgroundService]:
    service = BackgroundService("server", tmp_path, "/", port_option="SERVER_PORT")
    yield service
    service.stop()


@pytest.fixture
def port() -> int:
    return free_port()


def start(service: BackgroundService, port: int, code: str = SERVER) -> None:
    service.start([sys.executable, "-c", code, str(port)], dict(os.environ), port)


def test_another_command_finds_the_service_and_its_port(service: BackgroundService, port: int) -> None:
    start(service, port)
    found = BackgroundService("server", service.directory, "/", port_option="SERVER_PORT")
    assert found.ready_port() == port
    assert found.ended() is None


def test_stopping_twice_is_no_error(service: BackgroundService, port: int) -> None:
    start(service, port)
    assert service.stop() is True
    assert service.stop() is False
    assert service.port() is None


def test_a_port_in_use_is_refused_with_the_option_that_changes_it(
    service: BackgroundService, port: int
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        with pytest.raises(DemoError, match=rf"port {port} .*make demo SERVER_PORT=PORT"):
            start(service, port)


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(
    service: BackgroundService, port: int
) -> None:
    with pytest.raises(DemoError, match="server has ended: no credentials at all"):
        start(service, port, "import sys; sys.exit('no credentials at all')")


def test_a_service_that_was_killed_is_known_to_have_ended(service: BackgroundService, port: int) -> None:
    start(service, port)
    record = json.loads((service.directory / "server.json").read_text())
    os.kill(record["process"]["pid"], 9)
    while service.port() is not None:
        time.sleep(0.01)
    assert (service.ended() or "").startswith("server was killed by SIGKILL")
    assert service.last_port() == port


def test_a_service_that_was_stopped_is_not_taken_for_one_that_broke_down(
    service: BackgroundService, port: int
) -> None:
    start(service, port)
    service.stop()
    assert (service.ended() or "").startswith("server was stopped")


def test_the_logs_of_the_last_five_runs_are_kept(service: BackgroundService, port: int) -> None:
    for run in range(7):
        with pytest.raises(DemoError):
            start(service, port, f"import sys; sys.exit('run {run}')")
    logs = [service.log, *(service.log.with_suffix(f".log.{number}") for number in range(1, 7))]
    assert [log.read_text().strip() if log.exists() else None for log in logs] == [
        "run 6",
        "run 5",
        "run 4",
        "run 3",
        "run 2",
        "run 1",
        None,
    ]


def test_a_process_that_took_over_the_recorded_id_is_left_alone(service: BackgroundService) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        record = {"process": {"pid": stranger.pid, "started": 1}, "port": 1}
        (service.directory / "server.json").write_text(json.dumps(record))
        assert service.port() is None
        assert service.stop() is False
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n", timeout=10)


def test_a_damaged_record_is_named(service: BackgroundService) -> None:
    record = service.directory / "server.json"
    record.write_text("{")
    with pytest.raises(DemoError, match=r"server\.json is damaged"):
        service.port()
    record.unlink()
