"""A cluster of one's own is started, found again, broken and mended, through the command line."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from local_cluster import binaries
from local_cluster.access import Cluster
from local_cluster.cluster import LocalCluster
from local_cluster.cluster_state import ClusterStatus, StateDirectory
from local_cluster.processes import is_alive, stop_all

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_on(state: StateDirectory, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m local_cluster COMMAND` on a state directory."""
    return subprocess.run(
        [sys.executable, "-m", "local_cluster", *arguments, "--state-dir", str(state.root)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDirectory]:
    """A state directory whose servers are gone after the test, whatever happened."""
    state = StateDirectory(tmp_path / "cluster")
    yield state
    state.stop_processes()


@pytest.fixture
def run(state: StateDirectory) -> Run:
    """`python -m local_cluster COMMAND` on the test's own state directory."""
    return partial(run_on, state)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDirectory]:
    """The state directory of a cluster that `up` left running, for tests that do not change it."""
    state = StateDirectory(tmp_path_factory.mktemp("running") / "cluster")
    up = run_on(state, "up")
    assert up.returncode == 0, up.stderr
    yield state
    state.stop_processes()


def admin_of(state: StateDirectory) -> Cluster:
    return Cluster(state.admin_kubeconfig, binaries.ensure(print).kubectl, state.root)


def kill_server(state: StateDirectory, name: str) -> None:
    stop_all([state.read_record().processes[name]], grace_seconds=0)


def test_up_leaves_a_cluster_running_and_says_how_to_reach_it(running: StateDirectory) -> None:
    again = run_on(running, "up")

    assert again.returncode == 0
    assert again.stderr == "the cluster is running already\n"
    assert again.stdout == f"export KUBECONFIG={running.admin_kubeconfig}\n"
    assert run_on(running, "status").returncode == 0


def test_a_running_cluster_is_borrowed_and_not_stopped(running: StateDirectory) -> None:
    before = running.read_record()

    with LocalCluster(running.root) as borrowed:
        assert "default" in borrowed.kubectl("get", "namespaces", "-o", "name")
        assert borrowed.audit_events() != []

    assert running.read_record() == before
    assert before.status is ClusterStatus.RUNNING


def test_a_running_cluster_does_not_change_its_port(running: StateDirectory) -> None:
    before = running.read_record()

    again = run_on(running, "up", "--port", "1")

    assert again.returncode == 1
    assert f"runs on port {before.api_server_port} already" in again.stderr
    assert running.read_record() == before


def test_down_without_a_cluster_is_no_error(state: StateDirectory, run: Run) -> None:
    assert run("down").returncode == 0
    state.root.mkdir()

    down = run("down")

    assert down.returncode == 0
    assert down.stderr == "the cluster was not running\n"
    assert run("status").stdout == "stopped\n"


def test_a_second_start_has_the_old_objects_at_the_old_address(state: StateDirectory, run: Run) -> None:
    run("up")
    admin_of(state).create_namespace("kept")
    port = state.read_record().api_server_port
    assert run("down").stderr == "the cluster is stopped\n"
    assert state.read_record().status is ClusterStatus.STOPPED

    run("up")

    assert state.read_record().api_server_port == port
    assert "kept" in admin_of(state).kubectl("get", "namespace", "kept", "-o", "name")

    run("up", "--fresh")

    assert "kept" not in admin_of(state).kubectl("get", "namespaces", "-o", "name")


@pytest.mark.parametrize("killed", ["etcd", "kube-apiserver"])
def test_a_cluster_that_lost_a_server_is_mended_by_up(state: StateDirectory, run: Run, killed: str) -> None:
    run("up")
    admin_of(state).create_namespace("kept")
    survivors = [process for name, process in state.read_record().processes.items() if name != killed]
    kill_server(state, killed)
    assert run("status").stdout == "broken\n"

    up = run("up")

    assert up.returncode == 0, up.stderr
    assert "stopped what an earlier start left running" in up.stderr
    assert not any(is_alive(process) for process in survivors)
    assert "kept" in admin_of(state).kubectl("get", "namespace", "kept", "-o", "name")


def test_a_port_in_use_is_one_clear_line_and_starts_nothing(state: StateDirectory, run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        up = run("up", "--port", str(port))

    assert up.returncode == 1
    assert up.stderr.splitlines() == [
        f"error: port {port} on 127.0.0.1 is in use; stop what listens there or choose another port"
    ]
    assert state.read_record().processes == {}


def test_a_server_that_cannot_start_is_explained_and_nothing_is_left_running(
    state: StateDirectory, run: Run
) -> None:
    state.root.mkdir()
    state.etcd_data.write_text("not a data directory")

    up = run("up")

    assert up.returncode == 1
    assert up.stderr.startswith("error: etcd ended: ")
    assert str(state.log_of("etcd")) in up.stderr
    assert len(up.stderr.splitlines()) == 1
    assert state.read_record().processes == {}


def test_up_that_is_interrupted_leaves_nothing_running(state: StateDirectory) -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "local_cluster", "up", "--state-dir", str(state.root)],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (started := state.read_record().processes):
        assert up.poll() is None, "it ended before it started anything"
        time.sleep(0.01)
    up.terminate()
    _nothing, complaint = up.communicate(timeout=60)

    assert up.returncode == 130
    assert complaint == "interrupted; nothing is left running\n"
    assert not any(is_alive(process) for process in started.values())
    assert state.read_record().processes == {}
