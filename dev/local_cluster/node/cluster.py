"""`NodeCluster`: a `LocalCluster` whose Pods run.

It starts without the objects of an earlier start, for their containers are gone; its address, too, may be another one then.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from local_cluster.binary_cache import ControlPlaneBinaries, Report
from local_cluster.certificates import CertificateFiles, KeyPair, ensure_certificates
from local_cluster.cluster import LocalCluster
from local_cluster.cluster_state import CONTAINERD, NODE, ClusterRecord
from local_cluster.control_plane import SERVICE_ADDRESS, KubeletAccess
from local_cluster.errors import LocalClusterError
from local_cluster.node import control_groups
from local_cluster.node.certificates import (
    API_SERVER_TO_KUBELET,
    issue_node_certificates,
    write_kubeconfigs,
)
from local_cluster.node.commands import ENVIRONMENT, containerd_command, node_commands
from local_cluster.node.configuration import NODE_NAME, write_configuration
from local_cluster.node.images import import_archive, write_pause_image
from local_cluster.node.namespaces import inside, namespaces_command, wait_until_made
from local_cluster.node.network import (
    NodeNetwork,
    alone_on_this_machine,
    connect,
    first_free,
    networks_in_use,
)
from local_cluster.node.programs import NodePrograms
from local_cluster.node.programs import ensure as ensure_programs
from local_cluster.node.requirements import why_not
from local_cluster.readiness import AdminProbe

__all__ = ["NodeCluster"]

_CONTAINERD_SECONDS = 30.0
_NODE_SECONDS = 120.0


class NodeCluster(LocalCluster):
    """A control plane and one node.

    Args:
        state_dir: where the cluster lives; made if absent.
        port: where the API server shall listen; by default the last port, else any free one.
        detached: False: everything dies with the calling thread. True: it outlives this process.
        binaries: the control plane's programs; by default found, downloaded or built.
        report: takes progress lines.

    Raises:
        LocalClusterError: this machine can have no node, or the programs cannot be had.
    """

    _keeps_objects = False

    def __init__(
        self,
        state_dir: Path,
        *,
        port: int | None = None,
        detached: bool = False,
        binaries: ControlPlaneBinaries | None = None,
        report: Report = lambda _line: None,
    ) -> None:
        reason = why_not()
        if reason is not None:
            raise LocalClusterError(reason)
        self._programs: NodePrograms = ensure_programs(report)
        self._network: NodeNetwork | None = None
        super().__init__(state_dir, port=port, detached=detached, binaries=binaries, report=report)

    @property
    def host_address(self) -> str:
        """The address under which Pods reach what listens on it on this machine; it exists as long as the node does."""
        return self._its_network().host_address

    def import_image(self, archive: Path) -> None:
        """Put an image on the node, for Pods with `imagePullPolicy: Never`.

        Args:
            archive: an OCI archive; it says the image's name.

        Raises:
            LocalClusterError: containerd refuses it.
        """
        import_archive(self._state.node.socket, archive)

    def _its_network(self) -> NodeNetwork:
        if self._network is None:
            raise LocalClusterError(f"the node in {self._state.root} was not started by this object")
        return self._network

    def _use(self, network: NodeNetwork) -> None:
        self._network = network
        self._address = network.host_address

    def _is_of_this_kind(self, record: ClusterRecord) -> bool:
        if record.node_number is None:
            return False
        self._use(NodeNetwork(record.node_number))
        return True

    def _certificates(self) -> CertificateFiles:
        network = self._its_network()
        return ensure_certificates(
            self._state.certificates,
            [SERVICE_ADDRESS, network.host_address],
            lambda authority, directory: issue_node_certificates(authority, directory, network),
        )

    def _kubelet_access(self) -> KubeletAccess:
        pair = KeyPair.named(self._state.certificates, API_SERVER_TO_KUBELET)
        return KubeletAccess(self._its_network().host_address, pair)

    def _before_servers(self, record: ClusterRecord) -> ClusterRecord:
        node = self._state.node
        node.make()
        with alone_on_this_machine():
            control_groups.remove_abandoned()
            network = first_free(networks_in_use())
            self._use(network)
            record = self._start(
                replace(record, node_number=network.number), NODE, namespaces_command(node), ENVIRONMENT
            )
            first = record.processes[NODE]
            wait_until_made(node, first, self._state.log_of(NODE))
            control_groups.create(network.name, first.pid)
            connect(network, first.pid)
        # They name the addresses, which may have been others at an earlier start.
        shutil.rmtree(self._state.certificates, ignore_errors=True)
        server = f"https://{network.host_address}:{record.api_server_port}"
        write_kubeconfigs(server, self._certificates(), node)
        write_configuration(node, network, self._state.certificates)
        containerd = inside(first, containerd_command(_containerd(), node))
        return self._start(record, CONTAINERD, containerd, ENVIRONMENT)

    def _once_ready(self, record: ClusterRecord, probe: AdminProbe) -> ClusterRecord:
        node, network = self._state.node, self._its_network()
        self._wait_for(record, CONTAINERD, self._containerd_unready, _CONTAINERD_SECONDS)
        with tempfile.TemporaryDirectory(dir=node.root) as room:
            archive = Path(room) / "pause.tar"
            write_pause_image(self._programs.pause, archive)
            self.import_image(archive)
        commands = node_commands(self._programs, node, network, self._certificates())
        for name, command in commands.items():
            record = self._start(record, name, inside(record.processes[NODE], command), ENVIRONMENT)
        self._wait_for(record, "kubelet", lambda: _node_unready(probe), _NODE_SECONDS)
        return record

    def _containerd_unready(self) -> str | None:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._state.node.socket))
            except OSError as error:
                return f"{self._state.node.socket}: {error.strerror}"
        return None


def _containerd() -> str:
    path = shutil.which("containerd")
    if path is None:
        raise LocalClusterError("containerd is not on PATH")
    return path


def _node_unready(probe: AdminProbe) -> str | None:
    """What Pods still have to wait for."""
    status, body = probe.get(f"/api/v1/nodes/{NODE_NAME}")
    if status != 200:
        return "waiting for kubelet to register"
    conditions = {found["type"]: found for found in json.loads(body)["status"].get("conditions", ())}
    ready = conditions.get("Ready", {})
    if ready.get("status") != "True":
        return f"the node is not Ready: {ready.get('message', 'nothing said')}"
    status, _body = probe.get("/api/v1/namespaces/default/serviceaccounts/default")
    return None if status == 200 else "waiting for the default service account"
