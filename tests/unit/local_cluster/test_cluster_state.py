"""The state directory: what a later command can know about a cluster, and how damage is told."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cluster.cluster_state import ClusterRecord, ClusterStatus, StateDirectory
from local_cluster.errors import LocalClusterError
from local_cluster.processes import ProcessIdentity, is_alive, start, stop_all


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    state = StateDirectory(tmp_path / "cluster")
    state.root.mkdir()
    return state


@pytest.fixture
def sleeper(state: StateDirectory) -> Iterator[ProcessIdentity]:
    process = start(["/bin/sleep", "600"], state.log_of("etcd"), detached=True)
    yield process
    stop_all([process])


def test_a_record_is_read_as_it_was_written(state: StateDirectory, sleeper: ProcessIdentity) -> None:
    record = ClusterRecord(api_server_port=6443, etcd_port=2379, processes={"etcd": sleeper})

    state.write_record(record)

    assert state.read_record() == record


def test_a_directory_without_record_is_a_stopped_cluster(tmp_path: Path) -> None:
    assert StateDirectory(tmp_path / "absent").read_record().status is ClusterStatus.STOPPED


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"processes": {"etcd": {}}}', '{"processes": 3}'])
def test_a_damaged_record_is_one_clear_line(state: StateDirectory, content: str) -> None:
    (state.root / "cluster.json").write_text(content)

    with pytest.raises(LocalClusterError, match=r"cluster\.json is damaged") as raised:
        state.read_record()

    assert str(state.root) in str(raised.value)


def test_a_cluster_of_which_one_server_runs_is_broken(
    state: StateDirectory, sleeper: ProcessIdentity
) -> None:
    half = ClusterRecord(processes={"etcd": sleeper})
    one_died = ClusterRecord(processes={"etcd": sleeper, "kube-apiserver": ProcessIdentity(sleeper.pid, 0)})
    whole = ClusterRecord(processes={"etcd": sleeper, "kube-apiserver": sleeper})

    assert half.status is ClusterStatus.BROKEN
    assert one_died.status is ClusterStatus.BROKEN
    assert whole.status is ClusterStatus.RUNNING


def test_what_was_left_half_started_is_stopped_and_its_ports_are_kept(
    state: StateDirectory, sleeper: ProcessIdentity
) -> None:
    state.write_record(ClusterRecord(api_server_port=6443, etcd_port=2379, processes={"etcd": sleeper}))

    assert state.stop_processes() is True

    assert not is_alive(sleeper)
    assert state.read_record() == ClusterRecord(api_server_port=6443, etcd_port=2379)
    assert state.stop_processes() is False


def test_a_second_command_is_refused_while_the_first_is_busy(state: StateDirectory) -> None:
    with (state.root / "lock").open("w") as held_by_another:
        fcntl.flock(held_by_another, fcntl.LOCK_EX)

        with (
            pytest.raises(LocalClusterError, match="another command is starting or stopping"),
            state.locked(),
        ):
            pass


def test_a_state_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(LocalClusterError, match=r"cannot use .* as state directory: Not a directory"),
        StateDirectory(tmp_path / "file" / "cluster").locked(),
    ):
        pass


@pytest.mark.parametrize("there_before", [False, True])
def test_a_state_directory_is_closed_to_other_users(tmp_path: Path, there_before: bool) -> None:
    state = StateDirectory(tmp_path / "cluster")
    if there_before:
        state.root.mkdir(mode=0o755)

    with state.locked():
        pass

    assert state.root.stat().st_mode & 0o777 == 0o700
