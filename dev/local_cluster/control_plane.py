"""The command lines of etcd and kube-apiserver: what this control plane is, and what it leaves out.

Without a node there is an API server and its store, nothing else. No scheduler and no kubelet, so Pods stay Pending; no
controller-manager, so nobody deletes the contents of a namespace, collects the garbage of owned objects, runs Jobs
or makes default service accounts. For testing an operator that is a virtue: everything that happens to an object
was done by us. What a node adds is in `node`.

etcd does not wait for the disk (--unsafe-no-fsync): data survives the death of any process, not of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from local_cluster.binary_cache import ControlPlaneBinaries
from local_cluster.certificates import CertificateFiles, KeyPair
from local_cluster.cluster_state import StateDirectory

__all__ = ["LOOP_BACK", "SERVICE_ADDRESS", "KubeletAccess", "Ports", "etcd_command", "kube_apiserver_command"]

LOOP_BACK = "127.0.0.1"

SERVICE_ADDRESS = "10.96.0.1"
_SERVICE_RANGE = "10.96.0.0/16"
_SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc"
_AUDIT_LOG_MAX_MEGABYTES = 512


@dataclass(frozen=True)
class Ports:
    """The ports that the two servers listen on, etcd on the loop-back address."""

    kube_apiserver: int
    etcd: int


@dataclass(frozen=True)
class KubeletAccess:
    """How an API server and its node reach each other.

    Attributes:
        address: where the API server listens; the node and its Pods can reach it, and nobody outside this machine.
        client: the certificate that it shows to kubelet.
    """

    address: str
    client: KeyPair


def etcd_command(
    binaries: ControlPlaneBinaries, state: StateDirectory, certificates: CertificateFiles, ports: Ports
) -> list[str]:
    """The command line of a one-member etcd that only kube-apiserver's certificate opens.

    Flags: https://etcd.io/docs/v3.6/op-guide/configuration/
    """
    address = f"https://127.0.0.1:{ports.etcd}"
    return [
        str(binaries.etcd),
        "--name=local-cluster",
        f"--data-dir={state.etcd_data}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        # A cluster of one has no peers; port 0 keeps the default one free for others.
        "--listen-peer-urls=http://127.0.0.1:0",
        "--client-cert-auth",
        f"--trusted-ca-file={certificates.authority}",
        f"--cert-file={certificates.server.certificate}",
        f"--key-file={certificates.server.key}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        "--log-format=console",
    ]


def kube_apiserver_command(
    binaries: ControlPlaneBinaries,
    state: StateDirectory,
    certificates: CertificateFiles,
    ports: Ports,
    kubelet: KubeletAccess | None = None,
) -> list[str]:
    """The command line of an API server with RBAC, service-account tokens and an audit log.

    Args:
        binaries: the programs.
        state: where it keeps what it writes.
        certificates: the cluster's.
        ports: where it and etcd listen.
        kubelet: for a cluster with a node.

    Flags: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
    """
    return [
        str(binaries.kube_apiserver),
        f"--secure-port={ports.kube_apiserver}",
        *(_for_nobody() if kubelet is None else _for_a_node(kubelet, certificates)),
        f"--etcd-servers=https://127.0.0.1:{ports.etcd}",
        f"--etcd-cafile={certificates.authority}",
        f"--etcd-certfile={certificates.etcd_client.certificate}",
        f"--etcd-keyfile={certificates.etcd_client.key}",
        f"--tls-cert-file={certificates.server.certificate}",
        f"--tls-private-key-file={certificates.server.key}",
        f"--client-ca-file={certificates.authority}",
        "--authorization-mode=Node,RBAC",
        f"--service-account-issuer={_SERVICE_ACCOUNT_ISSUER}",
        f"--service-account-key-file={certificates.service_accounts}",
        f"--service-account-signing-key-file={certificates.service_accounts}",
        f"--service-cluster-ip-range={_SERVICE_RANGE}",
        f"--audit-policy-file={state.audit_policy}",
        f"--audit-log-path={state.audit_log}",
        f"--audit-log-maxsize={_AUDIT_LOG_MAX_MEGABYTES}",
        "--audit-log-maxbackup=1",
        "--profiling=false",
    ]


def _for_nobody() -> list[str]:
    return [
        f"--bind-address={LOOP_BACK}",
        f"--advertise-address={LOOP_BACK}",
        # It refuses to publish a loop-back address in Endpoints, and nothing here would read it.
        "--endpoint-reconciler-type=none",
    ]


def _for_a_node(kubelet: KubeletAccess, certificates: CertificateFiles) -> list[str]:
    return [
        f"--bind-address={kubelet.address}",
        f"--advertise-address={kubelet.address}",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={kubelet.client.certificate}",
        f"--kubelet-client-key={kubelet.client.key}",
        f"--kubelet-certificate-authority={certificates.authority}",
        # The node's name is in no DNS.
        "--kubelet-preferred-address-types=InternalIP",
        # Services' addresses lead nowhere outside the node; those of Pods do.
        "--enable-aggregator-routing=true",
    ]
