"""A node leaves nothing behind, whoever is killed, and whenever."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.pods import restricted_pod
from indispensable import missing
from local_cluster import binaries
from local_cluster.access import Cluster
from local_cluster.cluster_state import ClusterStatus, StateDirectory
from local_cluster.node.configuration import PAUSE_IMAGE
from local_cluster.node.network import NodeNetwork
from local_cluster.node.requirements import why_not
from local_cluster.processes import stop_all

pytestmark = pytest.mark.node

_FIXED_PLACES = (
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/log/containers",
    "/var/log/pods",
    "/run/containerd/runc/k8s.io",
)
_HELD_BY_A_PARENT = """
import sys, time
from pathlib import Path
from local_cluster.node.cluster import NodeCluster
NodeCluster(Path(sys.argv[1])).start()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDirectory]:
    """A state directory for a node, which is stopped after the test, whatever happened."""
    reason = why_not()
    if reason is not None:
        missing(reason)
    # A test's own directory is called like the test: too long for a socket in it.
    state = StateDirectory(tmp_path_factory.mktemp("node"))
    yield state
    state.stop_processes()


@pytest.fixture(autouse=True)
def fixed_places() -> Iterator[None]:
    """Programs of a node have fixed places for some files; none of them is touched."""
    before = {place: _content(place) for place in _FIXED_PLACES}
    yield
    assert {place: _content(place) for place in _FIXED_PLACES} == before


def local_cluster(state: StateDirectory, *arguments: str) -> None:
    command = [sys.executable, "-m", "local_cluster", *arguments, f"--state-dir={state.root}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def run_a_pod(state: StateDirectory) -> None:
    cluster = Cluster(state.admin_kubeconfig, binaries.ensure(print).kubectl, state.root)
    cluster.apply_manifest(restricted_pod("still", image=f"docker.io/{PAUSE_IMAGE}"), namespace="default")
    cluster.kubectl("wait", "pod/still", "--for=condition=Ready", "--timeout=60s")


def network_of(state: StateDirectory) -> NodeNetwork:
    number = state.read_record().node_number
    assert number is not None
    return NodeNetwork(number)


def left_behind(state: StateDirectory, network: NodeNetwork) -> dict[str, list[str]]:
    """All that there is of a node, by kind; kinds of which nothing is there are left out."""
    root = str(state.root)
    found = {
        "processes": [pid.name for pid in Path("/proc").glob("[0-9]*") if root in _command_line(pid)],
        "containers": [
            pid
            for tasks in Path("/sys/fs/cgroup").glob(f"**/{network.name}/**/cgroup.procs")
            for pid in tasks.read_text().split()
        ],
        "control groups": [str(group) for group in Path("/sys/fs/cgroup").glob(f"**/{network.name}")],
        "mounts": [line for line in Path("/proc/mounts").read_text().splitlines() if root in line],
        "links": [link.name for link in Path("/sys/class/net").iterdir() if link.name == network.name],
        "routes": [
            route["dst"]
            for route in json.loads(_run("ip", "-4", "-json", "route"))
            if route.get("dev") == network.name or route["dst"] == network.pods
        ],
        "rules": [line for line in _run("iptables-save").splitlines() if "KUBE-" in line],
        "files": [str(state.node.root)] if state.node.root.exists() else [],
    }
    return {kind: things for kind, things in found.items() if things}


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _content(place: str) -> list[str] | None:
    path = Path(place)
    return sorted(str(found) for found in path.rglob("*")) if path.exists() else None


def test_nothing_is_left_of_a_node_that_is_told_to_stop(state: StateDirectory) -> None:
    local_cluster(state, "up", "--node")
    run_a_pod(state)
    network = network_of(state)
    assert {"processes", "containers", "control groups", "links", "routes", "files"} == set(
        left_behind(state, network)
    )

    local_cluster(state, "down")

    assert left_behind(state, network) == {}


@pytest.mark.parametrize(
    "victims", [["node"], ["containerd", "kubelet"], ["kube-apiserver", "etcd"]], ids=" and ".join
)
def test_nothing_is_left_of_a_node_whose_parts_were_killed_twice(
    state: StateDirectory, victims: list[str]
) -> None:
    for _ in range(2):
        local_cluster(state, "up", "--node")
        run_a_pod(state)
        network = network_of(state)
        record = state.read_record()
        stop_all([record.processes[victim] for victim in victims], grace_seconds=0)
        assert state.read_record().status is ClusterStatus.BROKEN

    local_cluster(state, "down")

    assert left_behind(state, network) == {}


def test_a_node_dies_with_the_test_run_that_is_killed(state: StateDirectory) -> None:
    command = [sys.executable, "-c", _HELD_BY_A_PARENT, str(state.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        run_a_pod(state)
        network = network_of(state)
        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 20
    while state.read_record().status is not ClusterStatus.STOPPED or {
        "processes",
        "containers",
        "links",
        "mounts",
    } & set(left_behind(state, network)):
        assert time.monotonic() < deadline, left_behind(state, network)
        time.sleep(0.05)
    local_cluster(state, "down")
    assert left_behind(state, network) == {}


@pytest.mark.parametrize("moment", ["node", "containerd", "kube-apiserver", "kubelet"])
def test_nothing_is_left_of_a_start_that_was_killed(state: StateDirectory, moment: str) -> None:
    command = [sys.executable, "-m", "local_cluster", "up", "--node", f"--state-dir={state.root}"]
    deadline = time.monotonic() + 60
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as starting:
        while moment not in state.read_record().processes:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        network = network_of(state)
        starting.send_signal(signal.SIGKILL)

    local_cluster(state, "down")

    assert left_behind(state, network) == {}
