"""The certificates and kubeconfig files of a node's programs; each program may do what Kubernetes grants to its name, no more."""

from __future__ import annotations

from pathlib import Path

from local_cluster.certificates import Authority, CertificateFiles, KeyPair
from local_cluster.kubeconfig import certificate_user, encoded, kubeconfig, write_private_yaml
from local_cluster.node.configuration import NODE_NAME
from local_cluster.node.network import NodeNetwork
from local_cluster.node.state import NodeDirectory

__all__ = ["API_SERVER_TO_KUBELET", "issue_node_certificates", "write_kubeconfigs"]

API_SERVER_TO_KUBELET = "kube-apiserver-kubelet-client"
_LOGINS = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def issue_node_certificates(authority: Authority, directory: Path, network: NodeNetwork) -> None:
    """Issue them into the directory of the cluster's certificates."""
    authority.issue(
        KeyPair.named(directory, "kubelet"),
        f"system:node:{NODE_NAME}",
        organization="system:nodes",
        host_names=[NODE_NAME],
        addresses=[network.node_address],
    )
    for program in _LOGINS[1:]:
        authority.issue(KeyPair.named(directory, program), f"system:{program}")
    authority.issue(
        KeyPair.named(directory, API_SERVER_TO_KUBELET), API_SERVER_TO_KUBELET, organization="system:masters"
    )


def write_kubeconfigs(server: str, certificates: CertificateFiles, node: NodeDirectory) -> None:
    """Write a kubeconfig for each program.

    Args:
        server: the address of the API server.
        certificates: the cluster's.
        node: where the files go.
    """
    cluster = {"server": server, "certificate-authority-data": encoded(certificates.authority)}
    for program in _LOGINS:
        pair = KeyPair.named(certificates.authority.parent, program)
        user = certificate_user(pair.certificate, pair.key)
        write_private_yaml(node.kubeconfig(program), kubeconfig(cluster, program, user, "default"))
