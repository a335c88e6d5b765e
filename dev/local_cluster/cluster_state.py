"""A cluster's state directory: its files, the record of what runs, and the lock that lets one command act at a time.

The record outlives the command that wrote it: `down` in another terminal, or the next `up` after a crash, finds
from it which processes are ours. It is written once a process exists, before it becomes a server, so a half-started cluster is
found as well.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from local_cluster.errors import LocalClusterError
from local_cluster.node.leftovers import remove_leftovers
from local_cluster.node.network import NodeNetwork
from local_cluster.node.state import NodeDirectory
from local_cluster.processes import ProcessIdentity, is_alive, stop_all

__all__ = ["CONTAINERD", "NODE", "ClusterRecord", "ClusterStatus", "StateDirectory"]

NODE = "node"
CONTAINERD = "containerd"
# The node's first process takes all others of the node with it.
_NODE_PROGRAMS = (NODE, CONTAINERD, "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager")
# The API server first: without its store it would log errors until its turn comes.
_CONTROL_PLANE = ("kube-apiserver", "etcd")


class ClusterStatus(StrEnum):
    """Whether a cluster's processes run; BROKEN when only some of them do."""

    RUNNING = "running"
    STOPPED = "stopped"
    BROKEN = "broken"


@dataclass(frozen=True)
class ClusterRecord:
    """What was started. Ports are kept after a stop, so that the next start answers at the same address.

    `node_number` says which node network was taken; None without a node.
    """

    api_server_port: int | None = None
    etcd_port: int | None = None
    node_number: int | None = None
    processes: dict[str, ProcessIdentity] = field(default_factory=dict)

    @property
    def status(self) -> ClusterStatus:
        """Look at the processes now."""
        alive = [is_alive(process) for process in self.processes.values()]
        if not any(alive):
            return ClusterStatus.STOPPED
        wanted = {*_CONTROL_PLANE, *(() if self.node_number is None else _NODE_PROGRAMS)}
        complete = all(alive) and set(self.processes) == wanted
        return ClusterStatus.RUNNING if complete else ClusterStatus.BROKEN


@dataclass(frozen=True)
class StateDirectory:
    """Where a cluster lives. The directory holds private keys and is readable by its owner only."""

    root: Path

    @property
    def admin_kubeconfig(self) -> Path:
        """The kubeconfig of the cluster's admin."""
        return self.root / "admin.kubeconfig"

    @property
    def certificates(self) -> Path:
        """The directory of the certificate authority."""
        return self.root / "certificates"

    @property
    def etcd_data(self) -> Path:
        """The directory that holds every object of the cluster."""
        return self.root / "etcd"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.root / "audit.log"

    @property
    def audit_policy(self) -> Path:
        """What the API server writes to its audit log."""
        return self.root / "audit-policy.yaml"

    @property
    def node(self) -> NodeDirectory:
        """What a node fills."""
        return NodeDirectory(self.root / "node")

    def log_of(self, program: str) -> Path:
        """The output of a program, such as `etcd`."""
        return self.root / f"{program}.log"

    @property
    def _record_file(self) -> Path:
        return self.root / "cluster.json"

    def read_record(self) -> ClusterRecord:
        """The record, an empty one if nothing was ever started here.

        Raises:
            LocalClusterError: the record is damaged.
        """
        try:
            document = json.loads(self._record_file.read_text())
            processes = {
                name: ProcessIdentity(**identity) for name, identity in document.pop("processes").items()
            }
            return ClusterRecord(**document, processes=processes)
        except (FileNotFoundError, NotADirectoryError):
            return ClusterRecord()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LocalClusterError(
                f"{self._record_file} is damaged ({error}); end its etcd and kube-apiserver, then delete {self.root}"
            ) from error

    def write_record(self, record: ClusterRecord) -> None:
        """Replace the record in one step."""
        partial = self._record_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(record), indent=2))
        partial.replace(self._record_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the directory if need be and hold its lock.

        Raises:
            LocalClusterError: the directory cannot be written, or another command holds the lock.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            lock = (self.root / "lock").open("w")
        except OSError as error:
            raise LocalClusterError(f"cannot use {self.root} as state directory: {error.strerror}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalClusterError(
                    f"another command is starting or stopping the cluster in {self.root}; try again when it is done"
                ) from None
            yield

    def stop_processes(self, grace_seconds: float = 5.0) -> bool:
        """Stop whatever the record names; the caller holds the lock.

        Args:
            grace_seconds: how long each process may take to end by itself before it is killed.

        Returns:
            Whether anything still ran.

        Raises:
            LocalClusterError: a process cannot be stopped.
        """
        record = self.read_record()
        was_running = record.status is not ClusterStatus.STOPPED
        # Containers lose nothing that is kept, and nobody could wait for each of them.
        stop_all((record.processes[name] for name in _NODE_PROGRAMS if name in record.processes), 0)
        stop_all(
            (record.processes[name] for name in _CONTROL_PLANE if name in record.processes), grace_seconds
        )
        if record.node_number is not None:
            remove_leftovers(self.node, NodeNetwork(record.node_number))
        if record.processes or record.node_number is not None:
            self.write_record(replace(record, processes={}, node_number=None))
        return was_running
