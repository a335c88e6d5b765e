"""A release for some namespaces: the same rights as everywhere, cut into Roles, and names that two such releases do not share."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from chart.rendering import CHART, Helm, Objects

TEAMS = {"watchNamespaces": ["team-a", "team-b"]}
BESIDE_ANOTHER = {"crds": {"enabled": False}, "userRoles": {"create": False}}
"""What of a release is for the whole cluster, and comes with one of them."""
Right = tuple[str, str, str]


@pytest.fixture(scope="module")
def for_teams(helm: Helm) -> Objects:
    return helm.render(TEAMS)


def rights(role: dict[str, Any]) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def own_roles(objects: Objects, kind: str) -> list[dict[str, Any]]:
    return [role for role in objects.of(kind) if role["metadata"]["name"].startswith("avatar-operator")]


def test_the_only_rights_everywhere_are_those_on_runtimes_which_have_no_namespace(for_teams: Objects) -> None:
    (role,) = own_roles(for_teams, "ClusterRole")
    assert {resource for _, resource, _ in rights(role)} == {"avatarruntimes", "avatarruntimes/status"}
    (binding,) = for_teams.of("ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]


def test_in_each_namespace_it_may_do_what_it_may_everywhere_otherwise_but_read_labels(
    for_teams: Objects,
) -> None:
    whole = rights(yaml.safe_load((CHART / "files" / "cluster-role.yaml").read_text()))
    (everywhere,) = own_roles(for_teams, "ClusterRole")
    for team in TEAMS["watchNamespaces"]:
        (role,) = [each for each in for_teams.of("Role") if each["metadata"]["namespace"] == team]
        assert rights(role) | rights(everywhere) == whole - {("", "namespaces", "get")}
        assert rights(role).isdisjoint(rights(everywhere))


def test_where_events_of_runtimes_are_kept_it_may_tell_them_and_nothing_else(for_teams: Objects) -> None:
    (role,) = [each for each in for_teams.of("Role") if each["metadata"]["namespace"] == "default"]
    assert rights(role) == {("events.k8s.io", "events", "create")}


def test_each_role_is_bound_to_the_operator_where_it_is(for_teams: Objects) -> None:
    placed = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in for_teams.of("Role")]
    assert len(set(placed)) == 4
    for binding in for_teams.of("RoleBinding"):
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) in placed
        assert [subject["name"] for subject in binding["subjects"]] == ["avatar-operator"]
    assert len(for_teams.of("RoleBinding")) == len(placed)


def _places(helm: Helm, namespace: str, *teams: str) -> set[tuple[str, str, str]]:
    values = {"watchNamespaces": list(teams), **BESIDE_ANOTHER}
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"])
        for each in helm.render(values, release="avatars", namespace=namespace).all()
    }


def test_two_releases_for_different_namespaces_have_no_object_in_common(helm: Helm) -> None:
    assert _places(helm, "ops-a", "team-a").isdisjoint(_places(helm, "ops-b", "team-b"))


def test_two_releases_for_one_namespace_have_its_role_in_common_so_that_helm_refuses_the_second(
    helm: Helm,
) -> None:
    common = _places(helm, "ops-a", "team-a", "team-c") & _places(helm, "ops-b", "team-b", "team-c")
    assert {(kind, namespace) for kind, namespace, _ in common} == {
        ("Role", "team-c"),
        ("RoleBinding", "team-c"),
    }


def test_the_notes_delete_nothing_in_other_namespaces(helm: Helm) -> None:
    notes = helm.run(
        *("install", "avatars", str(CHART), "--namespace=ops", "--dry-run=client", "--hide-secret"),
        "--values=-",
        values=TEAMS,
    ).partition("NOTES:")[2]
    assert "kubectl delete avatarrequests,avatarmodels -n team-a --all" in notes
    assert "-A --all" not in notes
    assert "avatarruntimes --all" not in notes
