"""What every measurement stands on: a cluster with our kinds, two service accounts with the chart's rights, manifests.

Each replica has an account of its own, so that the audit log says which of them wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator_load.api_server import ApiServer, Object
from benchmarks.operator_load.replica import Replica
from benchmarks.operator_load.waiting import wait_until
from e2e.flight import SERVICE_ACCOUNT, SYSTEM_NAMESPACE, install_control_plane
from local_cluster.audit_log import AuditEvent
from local_cluster.cluster import LocalCluster

NAMESPACE = "bench"
ACCOUNTS = (SERVICE_ACCOUNT, f"{SERVICE_ACCOUNT}-too")
LEASE = (SYSTEM_NAMESPACE, "avatar-operator")


@dataclass(frozen=True)
class Stage:
    """A cluster that is ready for operators.

    Attributes:
        cluster: etcd and the API server.
        api: the same, for a crowd.
        directory: for logs.
        kubeconfigs: by account.
        replicas: those that were made; they end with the stage.
    """

    cluster: LocalCluster
    api: ApiServer
    directory: Path
    kubeconfigs: Mapping[str, Path]
    replicas: list[Replica]

    def replica(self, account: str = SERVICE_ACCOUNT, **environment: str) -> Replica:
        """A replica that has not been started."""
        replica = Replica(account, self.kubeconfigs[account], self.directory, environment)
        self.replicas.append(replica)
        return replica

    def lease_holder(self) -> str:
        """The identity of the replica that leads; empty if none does."""
        return self.api.lease_holder(*LEASE)

    def wait_for_runtime(self) -> None:
        """Wait until every runtime can be used."""
        wait_until(lambda: self.api.all_in_state("avatarruntimes", "Ready"), "a ready runtime")


@contextmanager
def set_up(directory: Path) -> Iterator[Stage]:
    """A stage of its own, which is gone afterwards."""
    with LocalCluster(directory) as cluster:
        kubeconfigs = {SERVICE_ACCOUNT: install_control_plane(cluster)}
        for account in ACCOUNTS[1:]:
            kubeconfigs[account] = _install_account(cluster, account)
        cluster.create_namespace(NAMESPACE)
        replicas: list[Replica] = []
        with ApiServer(cluster.admin_kubeconfig) as api:
            try:
                yield Stage(cluster, api, directory, kubeconfigs, replicas)
            finally:
                for replica in replicas:
                    replica.kill()


def writes_of(account: str, events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """What a replica wrote, without the Lease's renewals: those are the price of the lock, whatever there is to do."""
    return [event for event in events if _is_by(account, event) and event.resource != "leases"]


def renewals_of(account: str, events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """How a replica took, renewed and released the Lease."""
    return [event for event in events if _is_by(account, event) and event.resource == "leases"]


def simulated_runtime(training_seconds: int) -> Object:
    """A runtime without any cloud."""
    storage = {name: f"s3://avatars/{name}/" for name in ("requests", "artifacts", "outputs")}
    return {
        "apiVersion": "avatars.dev/v1alpha1",
        "kind": "AvatarRuntime",
        "metadata": {"name": "simulated"},
        "spec": {
            "backend": {"simulated": {"trainingSeconds": training_seconds}},
            "baseModel": {"source": "s3://avatars/base/", "sha256": "0" * 64},
            "storage": {**storage, "allowed": {"photos": ["s3://avatars/photos/{namespace}/"]}},
            "tenancy": {"allowedNamespaces": ["*"]},
        },
    }


def simulated_model(name: str, namespace: str = NAMESPACE) -> Object:
    """A model of the simulated runtime."""
    return {
        "apiVersion": "avatars.dev/v1alpha1",
        "kind": "AvatarModel",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "runtimeRef": {"name": "simulated"},
            "photos": {"s3Prefix": f"s3://avatars/photos/{namespace}/{name}/"},
        },
    }


def _is_by(account: str, event: AuditEvent) -> bool:
    return event.is_write and event.user == f"system:serviceaccount:{SYSTEM_NAMESPACE}:{account}"


def _install_account(cluster: LocalCluster, account: str) -> Path:
    subject = f"--serviceaccount={SYSTEM_NAMESPACE}:{account}"
    scope = f"--namespace={SYSTEM_NAMESPACE}"
    cluster.kubectl("create", "serviceaccount", account, scope)
    cluster.kubectl("create", "clusterrolebinding", account, f"--clusterrole={SERVICE_ACCOUNT}", subject)
    cluster.kubectl("create", "rolebinding", account, scope, f"--role={SERVICE_ACCOUNT}", subject)
    return cluster.kubeconfig_for_service_account(SYSTEM_NAMESPACE, account)
