"""Whoever takes the operator over has what it needs and nothing else: the API server refuses the rest.

Each question is asked twice: may it, and what happens if it does. Which rights it has to have, test_operator_rights.py says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from avatar_api.group import FINALIZER
from builders.exact_rights import neighbour_of
from builders.manifests import model_manifest
from builders.service_account import ServiceAccountAtWork, roles_and_bindings
from e2e.flight import (
    REPOSITORY,
    SERVICE_ACCOUNT,
    SYSTEM_NAMESPACE,
    eventually,
    install_control_plane,
)
from local_cluster.access import Cluster
from local_cluster.rights import EVERYWHERE, Account, Grant, Use, granted_to

OPERATOR = Account(SYSTEM_NAMESPACE, SERVICE_ACCOUNT)
OWN, TENANT = SYSTEM_NAMESPACE, "team-a"
AVATARS, LEASES, RBAC = "avatars.dev", "coordination.k8s.io", "rbac.authorization.k8s.io"
FORBIDDEN = 403
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


def every_verb(group: str, resource: str, namespace: str, *verbs: str) -> list[Use]:
    """Each of the verbs (all of them, if none is named), on one object where it is one that they mean."""
    named = {"get", "update", "patch", "delete"}
    return [Use(verb, group, resource, namespace, "it" if verb in named else "") for verb in verbs or VERBS]


DENIED = [
    # Secrets, wherever they are, and what else tells them.
    *every_verb("", "secrets", OWN),
    *every_verb("", "secrets", TENANT),
    *every_verb("", "secrets", "kube-system", "get", "list", "watch"),
    *every_verb("", "secrets", EVERYWHERE, "list", "watch"),
    *every_verb("", "configmaps", OWN),
    *every_verb("", "configmaps", TENANT, "get", "list"),
    *every_verb("", "configmaps", EVERYWHERE, "list", "watch"),
    # Being somebody else.
    *every_verb("", "serviceaccounts", OWN, "get", "list", "create"),
    Use("create", "", "serviceaccounts/token", OWN, OPERATOR.name),
    Use("create", "", "serviceaccounts/token", TENANT, "default"),
    Use("create", "authentication.k8s.io", "tokenreviews"),
    Use("create", "authorization.k8s.io", "subjectaccessreviews"),
    Use("create", "certificates.k8s.io", "certificatesigningrequests"),
    # Running something, or looking into what runs.
    *every_verb("", "pods", OWN),
    *every_verb("", "pods", TENANT),
    Use("create", "", "pods/exec", OWN, "it"),
    Use("get", "", "pods/log", OWN, "it"),
    *every_verb("apps", "deployments", OWN),
    *every_verb("batch", "jobs", TENANT),
    *every_verb("", "nodes", EVERYWHERE, "get", "list", "patch"),
    Use("get", "", "nodes/proxy", name="it"),
    # Giving itself more.
    *every_verb(RBAC, "roles", OWN, "create", "patch", "delete"),
    *every_verb(RBAC, "rolebindings", OWN, "create", "patch", "delete"),
    *every_verb(RBAC, "clusterroles", EVERYWHERE, "create", "patch", "delete"),
    *every_verb(RBAC, "clusterrolebindings", EVERYWHERE, "create", "patch", "delete"),
    *every_verb(
        "admissionregistration.k8s.io", "validatingadmissionpolicybindings", EVERYWHERE, "patch", "delete"
    ),
    *every_verb("apiextensions.k8s.io", "customresourcedefinitions", EVERYWHERE, "get", "patch", "delete"),
    # Of what it may do something to: everything else.
    *every_verb("", "namespaces", EVERYWHERE, "list", "watch", "create", "update", "patch", "delete"),
    *every_verb(LEASES, "leases", OWN, "list", "watch", "patch", "delete", "get", "update"),
    *(Use(verb, LEASES, "leases", OWN, OPERATOR.name) for verb in ("patch", "delete")),
    *(Use(verb, LEASES, "leases", TENANT, OPERATOR.name) for verb in ("get", "update")),
    Use("create", LEASES, "leases", TENANT),
    *every_verb("events.k8s.io", "events", TENANT, "get", "list", "patch", "update", "delete"),
    *every_verb("", "events", TENANT),
    *every_verb(AVATARS, "avatarmodels", TENANT, "get", "create", "update", "deletecollection"),
    *every_verb(AVATARS, "avatarrequests", TENANT, "get", "create", "update", "deletecollection"),
    *every_verb(
        AVATARS, "avatarruntimes", EVERYWHERE, "get", "create", "update", "delete", "deletecollection"
    ),
    *every_verb(AVATARS, "avatarmodels/status", TENANT, "get", "update"),
    *every_verb(AVATARS, "avatarrequests/status", TENANT, "get", "update"),
    *every_verb(AVATARS, "avatarruntimes/status", EVERYWHERE, "get", "update"),
    *(Use("get", url=url) for url in ("/metrics", "/logs/", "/debug/pprof/", "/configz")),
]
IMPERSONATED = (
    Use("impersonate", "", "users", name="admin"),
    Use("impersonate", "", "groups", name="system:masters"),
    Use("impersonate", "", "serviceaccounts", "kube-system", "default"),
)


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster) -> Path:
    """The operator's, with the chart's rights."""
    return install_control_plane(cluster)


@pytest.fixture(scope="module")
def operator_account(kubeconfig: Path) -> ServiceAccountAtWork:
    """Whoever has the operator's token."""
    return ServiceAccountAtWork(kubeconfig)


def said(use: Use) -> str:
    """A use as the name of a test."""
    return " ".join(filter(None, (use.verb, use.resource, use.group, use.namespace, use.name, use.url)))


@pytest.mark.parametrize("namespace", [OWN, TENANT, "kube-system", "default"])
def test_in_no_namespace_the_api_server_knows_of_a_right_that_the_chart_does_not_give(
    cluster: Cluster, operator_account: ServiceAccountAtWork, namespace: str
) -> None:
    objects = roles_and_bindings(cluster)
    of_everybody = _placed(granted_to(neighbour_of(OPERATOR), objects), namespace)
    own = _placed(granted_to(OPERATOR, objects), namespace) - of_everybody

    assert operator_account.grants_in(namespace) - of_everybody == own
    assert any(grant.resource == "leases" for grant in own) == (namespace == OWN)


def _placed(grants: frozenset[Grant], namespace: str) -> frozenset[Grant]:
    """Those that hold in a namespace, as the API server says them: it does not say where one comes from."""
    return frozenset(
        Grant(grant.verb, grant.group, grant.resource, EVERYWHERE, grant.name, grant.url)
        for grant in grants
        if grant.namespace in (EVERYWHERE, namespace)
    )


def test_what_it_may_do_is_done(operator_account: ServiceAccountAtWork) -> None:
    for use in (
        Use("list", AVATARS, "avatarmodels"),
        Use("list", AVATARS, "avatarruntimes"),
        Use("get", "", "namespaces", name="default"),
    ):
        assert operator_account.may(use)
        assert operator_account.do(use).status == 200


@pytest.mark.parametrize("use", DENIED, ids=said)
def test_it_may_not_and_is_refused(operator_account: ServiceAccountAtWork, use: Use) -> None:
    assert not operator_account.may(use)

    answer = operator_account.do(use)

    assert answer.status == FORBIDDEN
    asked = f'path "{use.url}"' if use.url else f'resource "{use.resource}"'
    assert f'User "{OPERATOR.user}" cannot {use.verb} {asked}' in answer.document["message"]


def test_it_is_nobody_else(operator_account: ServiceAccountAtWork) -> None:
    for use in IMPERSONATED:
        assert not operator_account.may(use)
    secrets = Use("list", "", "secrets", "kube-system")
    for headers in (
        {"Impersonate-User": "admin"},
        {"Impersonate-User": OPERATOR.user, "Impersonate-Group": "system:masters"},
        {"Impersonate-User": Account("kube-system", "default").user},
    ):
        answer = operator_account.do(secrets, headers=headers)
        assert answer.status == FORBIDDEN
        assert f'User "{OPERATOR.user}" cannot impersonate' in answer.document["message"]


@pytest.fixture
def model(cluster: Cluster, kubeconfig: Path, namespace: str) -> Use:
    """The right to patch a tenant's model that is there, which RBAC gives for the finalizer's sake."""
    cluster.apply_manifest(json.dumps(model_manifest(name="ann", namespace=namespace)))
    return Use("patch", AVATARS, "avatarmodels", namespace, "ann")


@pytest.fixture
def policy(cluster: Cluster, operator_account: ServiceAccountAtWork, model: Use) -> Iterator[None]:
    """The chart's policy, in force until the test ends."""
    seconds = count(60)

    def is_in_force() -> bool:
        """Ask with another spec each time: a patch that changes nothing would say nothing."""
        another = {"spec": {"retention": {"expireAfterSeconds": next(seconds)}}}
        return operator_account.do(model, another).status == FORBIDDEN

    assert not is_in_force()
    cluster.apply(REPOSITORY / "charts" / "avatar-operator" / "files" / "status-policy.yaml")
    eventually(is_in_force, what="the policy in force")
    yield
    cluster.kubectl("delete", "validatingadmissionpolicybinding", "avatar-operator-status")
    eventually(lambda: not is_in_force(), what="the end of the policy")


def test_where_the_policy_is_it_rewrites_no_spec_and_still_writes_what_is_its_own(
    operator_account: ServiceAccountAtWork, model: Use, policy: None
) -> None:
    finalizer = {"metadata": {"finalizers": [FINALIZER]}}
    for change in ({"suspend": True}, {"revision": 2, "photos": {"s3Prefix": "s3://of-somebody/else/"}}):
        refused = operator_account.do(model, {**finalizer, "spec": change})
        assert refused.status == FORBIDDEN
        assert (
            f"spec is what users ask for, and is not written by the avatar operator ({OPERATOR.user})"
            in refused.document["message"]
        )

    assert operator_account.do(model, finalizer).status == 200
    status = replace(model, resource="avatarmodels/status")
    assert operator_account.do(status, {"status": {"observedGeneration": 1}}).status == 200
    assert operator_account.do(model, {"metadata": {"finalizers": []}}).status == 200
