"""The command lines of a node's programs. Each of them runs inside the node's namespaces, so no port of theirs can be taken."""

from __future__ import annotations

from pathlib import Path

from local_cluster.certificates import CertificateFiles
from local_cluster.node.configuration import NODE_NAME
from local_cluster.node.network import NodeNetwork
from local_cluster.node.programs import NodePrograms
from local_cluster.node.state import NodeDirectory

__all__ = ["ENVIRONMENT", "containerd_command", "node_commands"]

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
"""All that they get to see: nothing of whoever started them, such as a proxy, holds for them."""


def containerd_command(containerd: str, node: NodeDirectory) -> list[str]:
    """The command line of containerd."""
    return [containerd, f"--config={node.file('containerd.toml')}"]


def node_commands(
    programs: NodePrograms,
    node: NodeDirectory,
    network: NodeNetwork,
    certificates: CertificateFiles,
) -> dict[str, list[str]]:
    """The command lines of those that need an API server, by their names.

    Flags: https://kubernetes.io/docs/reference/command-line-tools-reference/
    """
    return {
        "kube-controller-manager": [
            str(programs.kube_controller_manager),
            *_logged_in(node.kubeconfig("kube-controller-manager")),
            f"--service-account-private-key-file={certificates.service_accounts}",
            f"--root-ca-file={certificates.authority}",
            "--use-service-account-credentials",
            # By default it would take four seconds to start its controllers, waiting for its own limit.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ],
        "kube-scheduler": [
            str(programs.kube_scheduler),
            *_logged_in(node.kubeconfig("kube-scheduler")),
        ],
        "kubelet": [
            str(programs.kubelet),
            f"--config={node.file('kubelet.yaml')}",
            f"--kubeconfig={node.kubeconfig('kubelet')}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={network.node_address}",
        ],
        "kube-proxy": [
            str(programs.kube_proxy),
            f"--config={node.file('kube-proxy.yaml')}",
            f"--hostname-override={NODE_NAME}",
        ],
    }


def _logged_in(kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    ]
