"""An operator of some namespaces: it works with the Roles that the chart makes for it, and neither sees nor touches anything else.

Two operators share a cluster of its own here, each installed as the chart renders it, each logged in as its service account. They
do not know of each other: what keeps them apart are their Roles, whose a runtime is, and the policies on statuses.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import model_manifest, request_manifest, runtime_manifest
from chart.conftest import helm, tools
from chart.rendering import CHART, Helm, Objects
from e2e.flight import REPOSITORY, OperatorProcess, eventually
from local_cluster.audit_log import AuditEvent
from local_cluster.cluster import LocalCluster
from local_cluster.errors import LocalClusterError
from sagemaker_local.testing import LocalAws

__all__ = ["helm", "tools"]
OURS, THEIRS = "ops", "ops-of-others"
ACCOUNT = f"system:serviceaccount:{OURS}:avatar-operator"
TEAMS = ("team-a", "team-later")
RUNTIMES = {"avatarruntimes"}
SIMULATED = {"sagemaker": None, "simulated": {"trainingSeconds": 0}}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory, helm: Helm) -> Iterator[LocalCluster]:
    """A cluster with two releases: ours for team-a and one that is yet to come, theirs for team-c."""
    with LocalCluster(
        tmp_path_factory.mktemp("cluster"), report=lambda line: print(line, file=sys.stderr)
    ) as cluster:
        cluster.apply_crds(REPOSITORY / "crds")
        for name in (OURS, THEIRS, "team-a", "team-b", "team-c"):
            cluster.create_namespace(name)
        install(cluster, helm, OURS, *TEAMS)
        install(cluster, helm, THEIRS, "team-c")
        yield cluster


def rights_of(helm: Helm, home: str, *teams: str) -> list[Object]:
    """What the chart renders that says who may do what."""
    values = {"watchNamespaces": list(teams), "crds": {"enabled": False}, "userRoles": {"create": False}}
    text = helm.run(
        *("template", "avatar-operator", str(CHART), f"--namespace={home}", "--values=-"), values=values
    )
    of_rights = ("Role", "RoleBinding", "ServiceAccount", "ValidatingAdmission")
    return [
        each for each in Objects(text).all() if each["kind"].removeprefix("Cluster").startswith(of_rights)
    ]


def install(cluster: LocalCluster, helm: Helm, home: str, *teams: str) -> None:
    """Have a release's rights, but for those in a namespace that is not there yet."""
    found = [
        each for each in rights_of(helm, home, *teams) if each["metadata"].get("namespace") != "team-later"
    ]
    apply(cluster, *found)


def apply(cluster: LocalCluster, *objects: Object) -> None:
    cluster.apply_manifest(yaml.safe_dump_all(objects))


@contextmanager
def operator_of(
    cluster: LocalCluster, directory: Path, aws: LocalAws, home: str, *teams: str
) -> Iterator[OperatorProcess]:
    """An operator that runs with the rights of a release, and no others."""
    directory.mkdir(exist_ok=True)
    kubeconfig = cluster.kubeconfig_for_service_account(home, "avatar-operator")
    operator = OperatorProcess(directory, kubeconfig, aws, AVATAR_OPERATOR_WATCH_NAMESPACES=",".join(teams))
    operator.start()
    try:
        yield operator
    finally:
        operator.stop()


def runtime(name: str, *admitted: str) -> Object:
    return runtime_manifest(
        name=name, spec={"backend": SIMULATED, "tenancy": {"allowedNamespaces": list(admitted)}}
    )


def model(namespace: str, runtime_name: str, name: str = "ann") -> Object:
    return model_manifest(name=name, namespace=namespace, spec={"runtimeRef": {"name": runtime_name}})


def read(cluster: LocalCluster, kind: str, name: str, namespace: str = "") -> Object:
    found: Object = json.loads(
        cluster.kubectl("get", kind, name, f"--namespace={namespace or 'default'}", "--output=json")
    )
    return found


def wait_for_state(cluster: LocalCluster, kind: str, name: str, namespace: str, state: str) -> None:
    eventually(
        lambda: read(cluster, kind, name, namespace).get("status", {}).get("state"),
        lambda seen: seen == state,
        what=f"{kind} {namespace}/{name} {state}",
    )


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


def test_a_namespace_that_comes_goes_and_comes_back_is_watched_without_a_restart(
    shared_cluster: LocalCluster, tmp_path: Path, aws: LocalAws, helm: Helm
) -> None:
    def watched(namespace: str) -> float:
        return operator.metric("avatar_namespace_watched", namespace=namespace)

    of_later = [
        each for each in rights_of(helm, OURS, *TEAMS) if each["metadata"].get("namespace") == "team-later"
    ]
    with operator_of(shared_cluster, tmp_path / "ours", aws, OURS, *TEAMS) as operator:
        assert (watched("team-a"), watched("team-later")) == (1, 0)
        apply(shared_cluster, runtime("later", *TEAMS), model("team-a", "later"))
        wait_for_state(shared_cluster, "avm", "ann", "team-a", "Ready")

        shared_cluster.create_namespace("team-later")
        apply(shared_cluster, *of_later, model("team-later", "later"))
        wait_for_state(shared_cluster, "avm", "ann", "team-later", "Ready")
        assert watched("team-later") == 1

        taken = ("rolebinding/avatar-operator-avatars", "--namespace=team-later")
        shared_cluster.kubectl("delete", *taken)
        apply(shared_cluster, model("team-a", "later", name="bob"), model("team-later", "later", name="bob"))
        wait_for_state(shared_cluster, "avm", "bob", "team-a", "Ready")
        apply(shared_cluster, *of_later)
        wait_for_state(shared_cluster, "avm", "bob", "team-later", "Ready")

        for namespace in TEAMS:
            shared_cluster.kubectl("delete", "avm", "--all", f"--namespace={namespace}", "--timeout=60s")
        shared_cluster.kubectl("delete", "avrt", "later", "--timeout=60s")
        assert operator.is_running()
    log = [json.loads(line) for line in operator.log.read_text().splitlines() if line.startswith("{")]
    told = [line["event"].partition(":")[0] for line in log if line.get("namespace") == "team-later"]
    assert told[:2] == ["the namespace cannot be watched", "the namespace can be watched"]


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
