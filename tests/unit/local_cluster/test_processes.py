"""Servers are started, known again, stopped, and never outlive whom they must not outlive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_cluster import processes
from local_cluster.errors import LocalClusterError
from local_cluster.processes import ProcessIdentity, is_alive, start, stop_all

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
IGNORES_SIGTERM = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


Start = Callable[[list[str]], ProcessIdentity]


@pytest.fixture
def started(log: Path) -> Iterator[Start]:
    """Start a detached server and wait until it runs its own code; it is killed after the test."""
    made: list[ProcessIdentity] = []

    def run(command: list[str]) -> ProcessIdentity:
        made.append(start(command, log, detached=True))
        wait_until(lambda: log.read_text() == "up\n")
        return made[-1]

    yield run
    stop_all(made, grace_seconds=0)


def test_a_started_server_is_alive_until_it_is_stopped(started: Start) -> None:
    server = started(SLEEP)
    assert is_alive(server)

    stop_all([server])

    assert not is_alive(server)


def test_a_server_that_ignores_sigterm_is_killed(started: Start) -> None:
    server = started(IGNORES_SIGTERM)

    stop_all([server], grace_seconds=0.1)

    assert not is_alive(server)


def test_stopping_twice_is_no_error(started: Start) -> None:
    server = started(SLEEP)

    stop_all([server])
    stop_all([server])


def test_a_process_that_got_a_recycled_id_is_not_ours_and_is_left_alone(started: Start) -> None:
    server = started(SLEEP)
    before_it = replace(server, started=server.started - 1)

    assert not is_alive(before_it)
    stop_all([before_it])

    assert is_alive(server)


def test_a_program_that_does_not_exist_is_one_clear_line(log: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalClusterError, match=r"cannot start .*/absent: No such file or directory"):
        start([str(tmp_path / "absent")], log, detached=True)


def run_a_parent_that_starts(log: Path, *, detached: bool) -> tuple[subprocess.Popen[str], ProcessIdentity]:
    """A second Python process that starts a sleeping server, tells which, and waits."""
    source = (
        "import sys, time; from pathlib import Path; from local_cluster.processes import start;"
        f"server = start({SLEEP!r}, Path({str(log)!r}), detached={detached});"
        "print(server.pid, server.started, flush=True); time.sleep(600)"
    )
    package_root = str(Path(processes.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": package_root},
    )
    assert parent.stdout is not None
    pid, began = parent.stdout.readline().split()
    wait_until(lambda: log.read_text() == "up\n")
    return parent, ProcessIdentity(int(pid), int(began))


def kill(parent: subprocess.Popen[str]) -> None:
    parent.send_signal(signal.SIGKILL)
    parent.communicate()


def test_a_server_dies_when_its_parent_is_killed(log: Path) -> None:
    parent, server = run_a_parent_that_starts(log, detached=False)
    assert is_alive(server)

    kill(parent)

    wait_until(lambda: not is_alive(server))


def test_a_detached_server_outlives_its_parent(log: Path) -> None:
    parent, server = run_a_parent_that_starts(log, detached=True)
    try:
        kill(parent)
        assert is_alive(server)
    finally:
        stop_all([server])


def test_a_server_begins_once_it_is_remembered(log: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    look = [
        sys.executable,
        "-c",
        f"import pathlib; print(pathlib.Path({str(record)!r}).read_text(), flush=True)",
    ]

    server = start(
        look, log, detached=True, remember=lambda process: wait_until_it_could_begin(process, record)
    )

    wait_until(lambda: not is_alive(server))
    assert log.read_text() == f"process {server.pid}\n"


def wait_until_it_could_begin(process: ProcessIdentity, record: Path) -> None:
    """Write a record only once the process has got as far as it goes by itself: it sleeps."""
    wait_until(lambda: _state(process) == "S")
    record.write_text(f"process {process.pid}")


def _state(process: ProcessIdentity) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_server_that_nobody_could_remember_does_not_begin(log: Path) -> None:
    made: list[ProcessIdentity] = []

    def forget(process: ProcessIdentity) -> None:
        made.append(process)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        start(SLEEP, log, detached=True, remember=forget)

    wait_until(lambda: not is_alive(made[0]))
    assert "up" not in log.read_text()
