"""An operator of some namespaces: it works with the Roles that the chart makes for it, and neither sees nor touches anything else.

Two operators share a cluster of its own here, each installed as the chart renders it, each logged in as its service account. They
do not know of each other: what keeps them apart are their Roles, whose a runtime is, and the policies on statuses.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.manifests import request_manifest
from chart.conftest import helm, tools
from chart.rendering import Helm
from e2e.flight import REPOSITORY, eventually
from e2e.some_namespaces import apply, install, model, operator_of, read, runtime, wait_for_state
from local_cluster.audit_log import AuditEvent
from local_cluster.cluster import LocalCluster
from local_cluster.errors import LocalClusterError
from sagemaker_local.testing import LocalAws

__all__ = ["helm", "tools"]
OURS, THEIRS = "ops", "ops-of-others"
ACCOUNT = f"system:serviceaccount:{OURS}:avatar-operator"
RUNTIMES = {"avatarruntimes"}


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory, helm: Helm) -> Iterator[LocalCluster]:
    """A cluster with two releases: ours for team-a, theirs for team-c; team-b is nobody's."""
    with LocalCluster(
        tmp_path_factory.mktemp("cluster"), report=lambda line: print(line, file=sys.stderr)
    ) as cluster:
        cluster.apply_crds(REPOSITORY / "crds")
        for name in (OURS, THEIRS, "team-a", "team-b", "team-c"):
            cluster.create_namespace(name)
        install(cluster, helm, OURS, "team-a")
        install(cluster, helm, THEIRS, "team-c")
        yield cluster


def said(cluster: LocalCluster, *arguments: str) -> str:
    """What kubectl says, whether it was refused or not."""
    try:
        return cluster.kubectl(*arguments)
    except LocalClusterError as refused:
        return str(refused)


def by_operator(cluster: LocalCluster, home: str, since: int) -> list[AuditEvent]:
    user = f"system:serviceaccount:{home}:avatar-operator"
    return [event for event in cluster.audit_events(since) if event.user == user and event.resource]


def test_two_operators_share_a_cluster_and_neither_touches_what_is_the_others(
    shared_cluster: LocalCluster, tmp_path: Path, aws: LocalAws
) -> None:
    since = shared_cluster.audit_position()
    with (
        operator_of(shared_cluster, tmp_path / "ours", aws, OURS, "team-a"),
        operator_of(shared_cluster, tmp_path / "theirs", aws, THEIRS, "team-c"),
    ):
        apply(shared_cluster, runtime("ours", "team-a"), runtime("theirs", "team-c"))
        apply(shared_cluster, runtime("everybodys", "*"))
        for namespace, name in (("team-a", "ours"), ("team-c", "theirs"), ("team-b", "ours")):
            apply(shared_cluster, model(namespace, name), request_manifest(namespace=namespace))
        apply(shared_cluster, model("team-a", "everybodys", name="bob"))
        for namespace in ("team-a", "team-c"):
            wait_for_state(shared_cluster, "avr", "portraits", namespace, "Succeeded")
        waiting = eventually(
            lambda: read(shared_cluster, "avm", "bob", "team-a").get("status", {}).get("conditions", []),
            what="a model that is told why it waits",
        )
        shared_cluster.kubectl("delete", "avrt", "everybodys", "--timeout=30s")
        shared_cluster.kubectl("delete", "avr,avm", "--all", "--namespace=team-a", "--timeout=60s")
        shared_cluster.kubectl("delete", "avrt", "ours", "--timeout=60s")

    assert "does not watch" in {each["type"]: each["message"] for each in waiting}["Accepted"]
    for kind, name in (("avm", "ann"), ("avr", "portraits")):
        untouched = read(shared_cluster, kind, name, "team-b")
        assert "status" not in untouched
        assert "finalizers" not in untouched["metadata"]
    for home, own_namespace, own_runtime in ((OURS, "team-a", "ours"), (THEIRS, "team-c", "theirs")):
        done = by_operator(shared_cluster, home, since)
        assert [event for event in done if event.code == 403] == []
        assert {event.resource for event in done if not event.namespace} == RUNTIMES
        assert {event.namespace for event in done} == {"", home, own_namespace, "default"}
        assert {event.resource for event in done if event.namespace == "default"} == {"events"}
        written = {event.name for event in done if event.is_write and event.resource in RUNTIMES}
        assert written == {own_runtime}


@pytest.mark.parametrize(
    "arguments",
    [
        "get secrets --namespace=team-a",
        "get secrets --namespace=ops",
        "get configmaps --namespace=team-a",
        "get pods --namespace=team-a",
        "get namespace team-a",
        "get leases.coordination.k8s.io other --namespace=ops",
        "get leases.coordination.k8s.io avatar-operator --namespace=team-a",
        "get roles.rbac.authorization.k8s.io --namespace=team-a",
        "get customresourcedefinitions",
        "get avatarmodels --all-namespaces",
        "get avatarmodels --namespace=team-b",
        "get avatarrequests --namespace=team-c",
        "delete avatarruntimes theirs",
    ],
)
def test_whatever_was_not_granted_is_denied(shared_cluster: LocalCluster, arguments: str) -> None:
    assert "Forbidden" in said(shared_cluster, *arguments.split(), f"--as={ACCOUNT}")


def test_the_policies_keep_an_operator_from_statuses_that_are_another_operators(
    shared_cluster: LocalCluster,
) -> None:
    apply(shared_cluster, runtime("mine", "team-a"), runtime("not-mine", "team-c"))

    def forged(name: str, home: str) -> str:
        status = {
            "apiVersion": "avatars.dev/v1alpha1",
            "kind": "AvatarRuntime",
            "metadata": {"name": name},
            "status": {"state": "Ready"},
        }
        try:
            return shared_cluster.kubectl(
                *("apply", "--server-side", "--subresource=status", "--field-manager=x", "--filename=-"),
                f"--as=system:serviceaccount:{home}:avatar-operator",
                standard_input=json.dumps(status),
            )
        except LocalClusterError as refused:
            return str(refused)

    eventually(
        lambda: forged("not-mine", OURS), lambda answer: f"alone (system:serviceaccount:{THEIRS}" in answer
    )
    eventually(
        lambda: forged("mine", THEIRS), lambda answer: f"alone (system:serviceaccount:{OURS}" in answer
    )
    assert "serverside-applied" in forged("mine", OURS)
    shared_cluster.kubectl("delete", "avrt", "mine", "not-mine")
