"""What values may be besides what anybody would write: null, a name that YAML takes for a number, an empty list, the same twice."""

from __future__ import annotations

from typing import Any

import pytest

from chart.rendering import Helm, Objects, nested
from chart.test_rendering import EVERYTHING
from local_cluster.helm import HelmFailed

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.mark.parametrize("release", ["1e3", "true"])
def test_a_name_that_looks_like_something_else_stays_a_name(helm: Helm, release: str) -> None:
    values = {**EVERYTHING, "watchNamespaces": ["123", "on"], "serviceAccount": {"name": "456"}}
    objects = helm.render(values, release=release, namespace="789")

    for each in objects.all():
        metadata = each["metadata"]
        assert metadata["labels"]["app.kubernetes.io/instance"] == release
        assert metadata.get("namespace", "789") in {"789", "123", "on", "default"}
        for subject in each.get("subjects", ()):
            assert (subject["name"], subject["namespace"]) == ("456", "789")
    assert objects.pod()["serviceAccountName"] == "456"


@pytest.mark.parametrize(
    "group", ["global", "operator", "policies.status", "demo", "metrics.serviceMonitor", "crds", "aws"]
)
def test_a_group_that_is_taken_away_is_named(helm: Helm, group: str) -> None:
    parent, _, name = group.rpartition(".")
    with pytest.raises(HelmFailed, match=f"at '/?{parent}': missing property '{name}'"):
        helm.render(nested({group: None}))


@pytest.mark.parametrize(
    "value", ["global.imagePullSecrets", "imagePullSecrets", "podLabels", "commonLabels"]
)
def test_of_what_is_a_list_or_a_map_null_is_none(helm: Helm, by_default: Objects, value: str) -> None:
    assert helm.render(nested({value: None})).all() == by_default.all()


@pytest.mark.parametrize("probe", PROBES)
def test_of_a_probe_null_leaves_what_kubernetes_does_by_itself(helm: Helm, probe: str) -> None:
    assert list(helm.render({probe: None}).container()[probe]) == ["httpGet"]


@pytest.mark.parametrize("value", ["commonLabels", "podLabels"])
def test_a_label_by_which_pods_are_found_cannot_be_another(helm: Helm, value: str) -> None:
    with pytest.raises(HelmFailed, match=f"{value}: app.kubernetes.io/name is set by the chart"):
        helm.render({value: {"app.kubernetes.io/name": "mine"}})


def test_a_label_of_the_pods_goes_before_one_of_everything(helm: Helm) -> None:
    objects = helm.render({"commonLabels": {"team": "all"}, "podLabels": {"team": "pictures"}})
    deployment = objects.operator()
    assert deployment["metadata"]["labels"]["team"] == "all"
    assert deployment["spec"]["template"]["metadata"]["labels"]["team"] == "pictures"


@pytest.mark.parametrize("ports", [[], None])
def test_without_any_port_of_an_api_server_none_is_open_instead_of_all(helm: Helm, ports: Any) -> None:
    policy = helm.render(nested({"networkPolicy.enabled": True, "networkPolicy.apiServerPorts": ports})).one(
        "NetworkPolicy"
    )
    assert all(rule["ports"] for rule in policy["spec"]["egress"])


def test_two_limits_of_one_name_would_be_one_policy(helm: Helm) -> None:
    limit = {"name": "trial", "namespaceSelector": {}, "maxPictures": 4}
    with pytest.raises(HelmFailed, match=r"policies\.limits: two are called trial"):
        helm.render(nested({"policies.limits": [limit, {**limit, "maxPictures": 8}]}))
