"""Rights that RBAC grants, held against what was done by them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from local_cluster.audit_log import AuditEvent
from local_cluster.rights import (
    EVERYWHERE,
    Account,
    Grant,
    Use,
    granted,
    granted_to,
    unused,
    used,
    without_grant,
)

OPERATOR = Account("avatar-system", "avatar-operator")
LEASES = "coordination.k8s.io"


def event(verb: str, uri: str, **target: str) -> AuditEvent:
    """A request that was answered well."""
    reference = {"api_group": "", "resource": "", "subresource": "", "namespace": "", "name": "", **target}
    return AuditEvent(datetime.now(UTC), OPERATOR.user, "kopf", verb, code=200, request_uri=uri, **reference)


def rule(verbs: str, resources: str, *names: str, group: str = "") -> dict[str, Any]:
    """One rule; several of anything are separated by a space."""
    return {
        "apiGroups": [group],
        "resources": resources.split(),
        "verbs": verbs.split(),
        **({"resourceNames": list(names)} if names else {}),
    }


def role(kind: str, name: str, *rules: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}


def binding(role_kind: str, name: str, *subjects: dict[str, str], namespace: str = "") -> dict[str, Any]:
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"kind": role_kind, "name": name},
        "subjects": list(subjects),
    }


def test_a_rule_is_every_verb_on_every_resource_and_every_name() -> None:
    assert granted([rule("get update", "leases", "a", "b", group=LEASES)], "avatar-system") == {
        Grant(verb, LEASES, "leases", "avatar-system", name) for verb in ("get", "update") for name in "ab"
    }


@pytest.mark.parametrize(
    ("grant", "use", "allowed"),
    [
        (Grant("get", "", "pods"), Use("get", "", "pods", "team", "a"), True),
        (Grant("get", "", "pods"), Use("list", "", "pods", "team"), False),
        (Grant("get", "", "pods"), Use("get", "apps", "pods", "team", "a"), False),
        (Grant("*", "*", "*"), Use("get", "apps", "deployments/scale", "team", "a"), True),
        (Grant("get", "*", "*"), Use("patch", "apps", "deployments", "team", "a"), False),
        (Grant("get", "", "*"), Use("get", "", "pods/log", "team", "a"), True),
        # A resource does not include its subresources, nor one of these the resource.
        (Grant("patch", "", "pods"), Use("patch", "", "pods/status", "team", "a"), False),
        (Grant("patch", "", "pods/status"), Use("patch", "", "pods", "team", "a"), False),
        (Grant("patch", "", "pods/status"), Use("patch", "", "pods/status", "team", "a"), True),
        (Grant("get", "", "*/scale"), Use("get", "", "pods/scale", "team", "a"), True),
        (Grant("get", "", "*/scale"), Use("get", "", "pods", "team", "a"), False),
        # A Role holds in its namespace, and not for what is asked of all of them.
        (Grant("list", "", "pods", "team"), Use("list", "", "pods", "team"), True),
        (Grant("list", "", "pods", "team"), Use("list", "", "pods", "other"), False),
        (Grant("list", "", "pods", "team"), Use("list", "", "pods"), False),
        (Grant("list", "", "pods", EVERYWHERE), Use("list", "", "pods"), True),
        # Who may do something to one name may not ask for all.
        (Grant("get", "", "pods", name="a"), Use("get", "", "pods", "team", "a"), True),
        (Grant("get", "", "pods", name="a"), Use("get", "", "pods", "team", "b"), False),
        (Grant("list", "", "pods", name="a"), Use("list", "", "pods", "team"), False),
        (Grant("create", "", "pods", name="a"), Use("create", "", "pods", "team"), False),
        (Grant("get", url="/version"), Use("get", url="/version"), True),
        (Grant("get", url="/version"), Use("get", url="/version/1"), False),
        (Grant("get", url="/apis/*"), Use("get", url="/apis/apps"), True),
        (Grant("get", url="/apis/*"), Use("get", url="/apis"), False),
        (Grant("get", url="*"), Use("get", url="/metrics"), True),
        (Grant("*", url="*"), Use("get", "", "pods", "team", "a"), False),
        (Grant("*", "*", "*"), Use("get", url="/metrics"), False),
    ],
)
def test_a_grant_allows_what_the_authorizer_lets_pass(grant: Grant, use: Use, allowed: bool) -> None:
    assert grant.allows(use) is allowed


def test_a_request_is_used_as_the_authorizer_sees_it() -> None:
    patched = {"api_group": "avatars.dev", "resource": "avatarmodels", "namespace": "team", "name": "ann"}
    seen = used(
        [
            event("patch", "/apis/...", **patched, subresource="status"),
            event("watch", "/apis/...?watch=true", api_group="avatars.dev", resource="avatarmodels"),
            # The name of what is new stands in its body, of which the authorizer knows nothing.
            event("create", "/apis/...", **patched),
            event("create", "/apis/...", resource="serviceaccounts", subresource="token", name="default"),
            event("get", "/apis/avatars.dev?timeout=32s"),
        ]
    )
    assert seen == {
        Use("patch", "avatars.dev", "avatarmodels/status", "team", "ann"),
        Use("watch", "avatars.dev", "avatarmodels"),
        Use("create", "avatars.dev", "avatarmodels", "team"),
        Use("create", "", "serviceaccounts/token", name="default"),
        Use("get", url="/apis/avatars.dev"),
    }


def test_what_is_granted_and_not_used_is_found_and_the_other_way_round() -> None:
    grants = granted([rule("get list", "pods pods/log"), rule("delete", "pods")])
    uses = [Use("get", "", "pods", "team", "a"), Use("list", "", "pods/log"), Use("watch", "", "pods")]

    assert unused(grants, uses) == {
        Grant("list", "", "pods"),
        Grant("get", "", "pods/log"),
        Grant("delete", "", "pods"),
    }
    assert without_grant(grants, uses) == {Use("watch", "", "pods")}


@pytest.mark.parametrize(
    "wild",
    [
        Grant("*", "", "pods"),
        Grant("get", "*", "pods"),
        Grant("get", "", "*"),
        Grant("get", "", "*/log"),
        Grant("get", url="/apis/*"),
    ],
)
def test_a_wildcard_grants_more_than_anybody_used(wild: Grant) -> None:
    uses = [
        Use("get", "", "pods", "team", "a"),
        Use("get", "", "pods/log", "team", "a"),
        Use("get", url="/apis/a"),
    ]
    assert any(wild.allows(use) for use in uses)
    assert unused([wild], uses) == {wild}


def test_a_wide_right_is_not_used_by_what_a_narrow_one_grants() -> None:
    wide = Grant("get", LEASES, "leases")
    in_one_namespace = Grant("get", LEASES, "leases", "avatar-system")
    of_one_name = Grant("get", LEASES, "leases", "avatar-system", "avatar-operator")
    grants = [wide, in_one_namespace, of_one_name]
    own = Use("get", LEASES, "leases", "avatar-system", "avatar-operator")

    assert unused(grants, [own]) == {wide, in_one_namespace}
    assert unused(grants, [own, Use("get", LEASES, "leases", "team", "theirs")]) == {in_one_namespace}


def test_an_account_has_what_is_bound_to_its_name_or_its_groups_where_it_is_bound() -> None:
    account = {"kind": "ServiceAccount", "name": OPERATOR.name}
    objects = [
        role("ClusterRole", "everywhere", rule("get", "namespaces")),
        binding("ClusterRole", "everywhere", {**account, "namespace": OPERATOR.namespace}),
        # A subject without a namespace is of the binding's.
        role("Role", "own", rule("create", "leases", group=LEASES), namespace="avatar-system"),
        binding("Role", "own", account, namespace="avatar-system"),
        # The rules of a ClusterRole hold in the namespace of a RoleBinding, and its URLs nowhere.
        role("ClusterRole", "lent", rule("get", "pods"), {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}),
        binding("ClusterRole", "lent", {"kind": "User", "name": OPERATOR.user}, namespace="team"),
        role("ClusterRole", "anybody", {"nonResourceURLs": ["/version"], "verbs": ["get"]}),
        binding("ClusterRole", "anybody", {"kind": "Group", "name": "system:authenticated"}),
        role("ClusterRole", "of-others", rule("*", "secrets")),
        binding(
            "ClusterRole",
            "of-others",
            {**account, "namespace": "elsewhere"},
            {"kind": "Group", "name": "system:serviceaccounts:elsewhere"},
            {"kind": "User", "name": OPERATOR.name},
        ),
        role("ClusterRole", "of-nobody", rule("*", "secrets")),
        {**binding("ClusterRole", "of-nobody"), "subjects": None},
        {"kind": "Deployment", "metadata": {"name": "avatar-operator"}},
    ]
    assert granted_to(OPERATOR, objects) == {
        Grant("get", "", "namespaces"),
        Grant("create", LEASES, "leases", "avatar-system"),
        Grant("get", "", "pods", "team"),
        Grant("get", url="/version"),
    }


def test_a_binding_to_a_role_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="gone"):
        granted_to(OPERATOR, [binding("ClusterRole", "gone", {"kind": "User", "name": OPERATOR.user})])
