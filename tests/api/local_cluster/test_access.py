"""What tests and the demo do with a cluster: apply, log in, read the audit log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from local_cluster.access import Cluster
from local_cluster.audit_log import AuditEvent, WrittenObject, count_writes
from local_cluster.cluster import LocalCluster
from local_cluster.errors import LocalClusterError


@pytest.fixture
def group() -> str:
    """An API group that no other test uses."""
    return f"g{uuid.uuid4().hex[:8]}.example.com"


def crd(group: str) -> str:
    document = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"kites.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Kite", "plural": "kites"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {"tail": {"type": "integer", "maximum": 9}},
                                }
                            },
                        }
                    },
                }
            ],
        },
    }
    return yaml.safe_dump(document)


def kite(group: str, namespace: str, tail: int) -> str:
    metadata = {"name": "red", "namespace": namespace}
    return json.dumps(
        {"apiVersion": f"{group}/v1", "kind": "Kite", "metadata": metadata, "spec": {"tail": tail}}
    )


def reader_rbac(namespace: str) -> str:
    """A service account that may read ConfigMaps in its namespace, and nothing else."""
    return f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: reader, namespace: {namespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: {namespace}}}
rules: [{{apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects: [{{kind: ServiceAccount, name: reader, namespace: {namespace}}}]
"""


def test_crds_are_served_as_soon_as_they_are_applied(
    cluster: Cluster, namespace: str, group: str, tmp_path: Path
) -> None:
    (tmp_path / "kites.yaml").write_text(crd(group))
    (tmp_path / "notes.txt").write_text("not a manifest")

    cluster.apply_crds(tmp_path)

    (tmp_path / "red.json").write_text(kite(group, namespace, tail=3))
    cluster.apply(tmp_path / "red.json")
    assert (
        cluster.kubectl("get", f"kites.{group}", "red", "-n", namespace, "-o", "jsonpath={.spec.tail}") == "3"
    )


def test_what_the_api_server_refuses_is_told_in_its_words(
    cluster: Cluster, namespace: str, group: str, tmp_path: Path
) -> None:
    (tmp_path / "kites.yaml").write_text(crd(group))
    cluster.apply_crds(tmp_path)

    with pytest.raises(LocalClusterError, match="should be less than or equal to 9"):
        cluster.apply_manifest(kite(group, namespace, tail=10))


def test_a_directory_without_crds_is_one_clear_line(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(LocalClusterError, match=r"no CRDs: .* holds no \*\.yaml"):
        cluster.apply_crds(tmp_path)


def test_a_service_account_logs_in_with_its_own_rights_only(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    cluster.apply_manifest(reader_rbac(namespace))

    kubeconfig = cluster.kubeconfig_for_service_account(namespace, "reader")

    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    reader = Cluster(kubeconfig, cluster.kubectl_program, tmp_path)
    assert reader.kubectl("get", "configmaps", "-n", namespace, "-o", "name") is not None
    with pytest.raises(
        LocalClusterError, match=f"system:serviceaccount:{namespace}:reader.*cannot list.*secrets"
    ):
        reader.kubectl("get", "secrets", "-n", namespace)


def test_an_absent_service_account_is_one_clear_line(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(LocalClusterError, match='"nobody" not found'):
        cluster.kubeconfig_for_service_account(namespace, "nobody")


def test_a_namespace_is_made_once(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(LocalClusterError, match="already exists"):
        cluster.create_namespace(namespace)


ReadEvents = Callable[[], list[AuditEvent]]


@pytest.fixture
def events_since_now(audited_cluster: LocalCluster) -> ReadEvents:
    """A function that gives the audit events since the fixture was made."""
    position = audited_cluster.audit_position()
    return lambda: audited_cluster.audit_events(since=position)


def test_each_write_is_in_the_audit_log_once_it_is_answered(
    audited_cluster: LocalCluster, namespace: str, events_since_now: ReadEvents
) -> None:
    for color in ("red", "blue", "green"):
        audited_cluster.kubectl(
            *("create", "configmap", color, "-n", namespace),
            *("--from-literal=secret-value=42", "-o", "name"),
        )
    audited_cluster.kubectl("delete", "configmap", "red", "-n", namespace)

    writes = count_writes(event for event in events_since_now() if event.namespace == namespace)

    def by_admin(name: str) -> WrittenObject:
        return WrittenObject("admin", "", "configmaps", "", namespace, name)

    assert writes == {by_admin("red"): 2, by_admin("blue"): 1, by_admin("green"): 1}


def test_what_a_service_account_does_is_under_its_own_name(
    audited_cluster: LocalCluster, namespace: str, events_since_now: ReadEvents, tmp_path: Path
) -> None:
    audited_cluster.apply_manifest(reader_rbac(namespace))
    kubeconfig = audited_cluster.kubeconfig_for_service_account(namespace, "reader")
    reader = Cluster(kubeconfig, audited_cluster.kubectl_program, tmp_path)
    with pytest.raises(LocalClusterError, match="cannot delete"):
        reader.kubectl("delete", "configmap", "red", "-n", namespace)

    by_reader = [
        event for event in events_since_now() if event.user == f"system:serviceaccount:{namespace}:reader"
    ]

    deletions = [event for event in by_reader if event.is_write]
    assert [(event.verb, event.name, event.code) for event in deletions] == [("delete", "red", 403)]


def test_an_idle_cluster_has_no_writes_but_its_own(events_since_now: ReadEvents) -> None:
    strangers = [event for event in events_since_now() if not event.user.startswith("system:")]

    assert strangers == []


def test_the_contents_of_objects_are_not_in_the_audit_log(
    audited_cluster: LocalCluster, namespace: str
) -> None:
    secret = f"s{uuid.uuid4().hex}"
    audited_cluster.kubectl(
        "create", "secret", "generic", "key", "-n", namespace, f"--from-literal=key={secret}"
    )
    audited_cluster.audit_events()

    log = audited_cluster.admin_kubeconfig.with_name("audit.log").read_text()

    assert '"name":"key"' in log
    assert secret not in log
