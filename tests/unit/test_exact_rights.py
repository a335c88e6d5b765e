"""Whether an account uses its rights: what counts as used, and what an uninstalled release did counts as nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from builders.exact_rights import rights_in_use, while_installed
from local_cluster.audit_log import AuditEvent
from local_cluster.rights import Account, Grant, Use

OPERATOR = Account("avatar-system", "avatar-operator")
HELM, KUBELET = "admin", "system:node:node-1"
START = datetime(2026, 11, 26, tzinfo=UTC)
MOMENTS = count()


def event(
    user: str, verb: str, resource: str, namespace: str = "", code: int = 200, name: str = ""
) -> AuditEvent:
    """A request of the core group, later than those before."""
    time = START + timedelta(milliseconds=next(MOMENTS))
    return AuditEvent(time, user, "", verb, "", resource, "", namespace, name, code, "/")


def own(verb: str, resource: str, namespace: str = "", code: int = 200) -> AuditEvent:
    """A request of the operator's."""
    return event(OPERATOR.user, verb, resource, namespace, code)


def of_the_release(verb: str, resource: str, code: int = 200) -> AuditEvent:
    """Helm's request about an object of the release."""
    return event(HELM, verb, resource, OPERATOR.namespace, code, OPERATOR.name)


def roles() -> list[dict[str, Any]]:
    """The operator may get Pods and list Services; whoever is in its namespace may list Nodes."""
    rules = {"operator": [("get", "pods"), ("list", "services")], "anybody": [("list", "nodes")]}
    subjects = {
        "operator": {"kind": "ServiceAccount", "name": OPERATOR.name, "namespace": OPERATOR.namespace},
        "anybody": {"kind": "Group", "name": f"system:serviceaccounts:{OPERATOR.namespace}"},
    }
    found: list[dict[str, Any]] = []
    for name, pairs in rules.items():
        each = [{"apiGroups": [""], "resources": [kind], "verbs": [verb]} for verb, kind in pairs]
        reference = {"kind": "ClusterRole", "name": name}
        found += [
            {"kind": "ClusterRole", "metadata": {"name": name}, "rules": each},
            {
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": reference,
                "subjects": [subjects[name]],
            },
        ]
    return found


def test_rights_are_an_accounts_own_and_used_by_it_alone() -> None:
    done = [
        own("get", "pods", "team"),
        own("list", "nodes"),
        own("list", "secrets", code=403),
        event(KUBELET, "list", "services"),
    ]
    rights = rights_in_use(OPERATOR, roles(), done)

    assert rights.own == {Grant("get", "", "pods"), Grant("list", "", "services")}
    assert rights.unused == {Grant("list", "", "services")}
    assert rights.refused == {Use("list", "", "secrets")}
    assert rights.common == {Use("list", "", "nodes"), Use("list", "", "secrets")}


def test_what_was_refused_in_spite_of_a_right_was_refused() -> None:
    done = [own("get", "pods", "team", code=403), own("list", "services")]

    assert rights_in_use(OPERATOR, roles(), done).refused == {Use("get", "", "pods", "team")}


def test_a_right_for_the_whole_cluster_is_not_used_in_the_own_namespace() -> None:
    done = [own("get", "pods", OPERATOR.namespace), own("list", "services")]

    assert rights_in_use(OPERATOR, roles(), done).unused == {Grant("get", "", "pods")}


def test_what_pods_without_a_release_do_is_left_out_until_there_is_one_again() -> None:
    before = own("get", "pods")
    kept = [before, of_the_release("delete", "deployments")]
    orphaned = [own("get", "pods", code=403)]
    meanwhile = [event(KUBELET, "get", "pods"), of_the_release("delete", "rolebindings")]
    after = [of_the_release("patch", "rolebindings", code=201), own("get", "pods")]

    assert while_installed(OPERATOR, [*kept, *orphaned, *meanwhile, *after]) == [*kept, *meanwhile, *after]


def test_a_deployment_that_is_not_deleted_stays_and_an_upgrade_changes_nothing() -> None:
    done = [
        of_the_release("delete", "deployments", code=403),
        own("get", "pods"),
        event(HELM, "delete", "deployments", "team-a", name=OPERATOR.name),
        own("get", "pods"),
        of_the_release("patch", "rolebindings"),
        own("get", "pods"),
    ]
    assert while_installed(OPERATOR, done) == done
