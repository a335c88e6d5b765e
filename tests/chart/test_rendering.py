"""What holds for the chart as a whole: Helm's own rules, the same bytes every time, and no right that nobody needs."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.rendering import CHART, NAMESPACE, RELEASE, Helm, Objects, nested
from chart.value_effects import DASHBOARD

EVERYTHING = nested(
    {
        "networkPolicy.enabled": True,
        "metrics.serviceMonitor.enabled": True,
        "metrics.prometheusRule.enabled": True,
        "metrics.dashboards.enabled": True,
        "policies.runtimes.allowedInstanceTypes": ["ml.g5.xlarge"],
        "policies.limits": [
            {"name": "trial", "namespaceSelector": {}, "maxPictures": 4, "maxTrainingSteps": 100}
        ],
    }
)
"""Every switch that is off by default."""


@pytest.fixture(scope="module")
def everything(helm: Helm) -> Objects:
    return helm.render(EVERYTHING)


def from_file(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CHART / "files" / name).read_text()))


def test_helm_finds_nothing_wrong_with_it(helm: Helm) -> None:
    helm.run("lint", "--strict", str(CHART), "--values=-", values=EVERYTHING)


def test_chart_operator_and_image_have_one_version(by_default: Objects) -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((CHART.parents[1] / "pyproject.toml").read_text())["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]
    assert by_default.container()["image"].endswith(f":{project['version']}")


def test_it_renders_the_same_bytes_twice(helm: Helm, everything: Objects) -> None:
    assert helm.render(EVERYTHING).text == everything.text


def test_it_renders_the_same_objects_inside_of_an_umbrella_chart(
    helm: Helm, by_default: Objects, tmp_path: Path
) -> None:
    umbrella = tmp_path / "umbrella"
    shutil.copytree(CHART, umbrella / "charts" / "avatar-operator")
    (umbrella / "Chart.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v2",
                "name": "umbrella",
                "version": "1.0.0",
                "dependencies": [
                    {"name": "avatar-operator", "version": "0.1.0", "condition": "avatar-operator.enabled"}
                ],
            }
        )
    )
    shared = {"global": {"storageClass": "fast"}, "avatar-operator": {"enabled": True}}

    assert helm.render(shared, chart=umbrella).all() == by_default.all()
    assert helm.render({"avatar-operator": {"enabled": False}}, chart=umbrella).all() == []


def test_roles_are_those_of_the_files_with_the_releases_names(by_default: Objects) -> None:
    for kind, file in (("ClusterRole", "cluster-role.yaml"), ("Role", "role.yaml")):
        (wanted,) = from_file(file)
        assert by_default.one(kind, "avatar-operator")["rules"] == wanted["rules"]
    assert by_default.one("Role")["metadata"]["namespace"] == NAMESPACE
    for wanted in from_file("user-roles.yaml"):
        found = by_default.one("ClusterRole", wanted["metadata"]["name"])
        assert found["rules"] == wanted["rules"]
        assert wanted["metadata"]["labels"].items() <= found["metadata"]["labels"].items()


def test_no_role_reads_secrets_or_everything(everything: Objects) -> None:
    for role in [*everything.of("ClusterRole"), *everything.of("Role")]:
        for rule in role["rules"]:
            assert {"secrets", "*"}.isdisjoint(rule["resources"]), role["metadata"]["name"]
            assert "*" not in rule["verbs"]


def test_it_has_no_secret_no_webhook_and_no_hook_but_its_test(everything: Objects) -> None:
    assert [each for each in everything.all() if each["kind"] == "Secret" or "Webhook" in each["kind"]] == []
    hooks = [
        each["metadata"]["annotations"]["helm.sh/hook"]
        for each in everything.all()
        if "helm.sh/hook" in each["metadata"].get("annotations", {})
    ]
    assert hooks == ["test"]


def test_the_status_policy_names_the_releases_account(helm: Helm) -> None:
    objects = helm.render(release="pictures", namespace="elsewhere")
    (policy, binding) = from_file("status-policy.yaml")
    wanted = json.loads(json.dumps(policy["spec"]))
    (operator,) = [each for each in wanted["variables"] if each["name"] == "operator"]
    assert operator["expression"] == "'system:serviceaccount:avatar-system:avatar-operator'"
    operator["expression"] = "'system:serviceaccount:elsewhere:pictures-avatar-operator'"
    assert objects.one("ValidatingAdmissionPolicy")["spec"] == wanted
    assert objects.one("ValidatingAdmissionPolicyBinding")["spec"] == binding["spec"]


def test_crds_are_those_of_the_api_and_are_kept(by_default: Objects) -> None:
    generated = [
        yaml.safe_load(path.read_text()) for path in sorted((CHART.parents[1] / "crds").glob("*.yaml"))
    ]
    assert len(generated) == 3
    for wanted in generated:
        found = by_default.one("CustomResourceDefinition", wanted["metadata"]["name"])
        assert found["spec"] == wanted["spec"]
        assert found["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_alerts_keep_the_braces_of_prometheus(everything: Objects) -> None:
    alerts = yaml.safe_load((CHART / "files" / "alerts" / "avatar-operator.yaml").read_text())
    assert "{{ $" in json.dumps(alerts)
    assert everything.one("PrometheusRule")["spec"] == alerts


def test_a_dashboard_keeps_the_braces_of_grafana(helm: Helm, with_a_dashboard: Path) -> None:
    found = helm.render(EVERYTHING, chart=with_a_dashboard).one("ConfigMap", "avatar-operator-dashboard-one")
    assert json.loads(found["data"]["one.json"]) == DASHBOARD


def test_the_demos_aws_is_open_to_the_operator_alone(helm: Helm) -> None:
    objects = helm.render(
        nested({"demo.enabled": True, "crds.enabled": False, "networkPolicy.enabled": True})
    )
    operators = objects.operator()["spec"]["selector"]["matchLabels"]
    (aws,) = [
        each["spec"]
        for each in objects.of("NetworkPolicy")
        if each["metadata"]["name"] == "avatar-operator-aws"
    ]
    deployment = objects.one("Deployment", "avatar-operator-aws")["spec"]["template"]
    assert aws["podSelector"]["matchLabels"] == deployment["metadata"]["labels"]
    assert [rule["from"] for rule in aws["ingress"]] == [[{"podSelector": {"matchLabels": operators}}]]
    own = objects.one("NetworkPolicy", "avatar-operator")["spec"]["egress"]
    assert aws["podSelector"] in [
        peer["podSelector"] for rule in own for peer in rule.get("to", []) if "podSelector" in peer
    ]


def test_where_few_may_scrape_the_releases_own_test_may_ask(helm: Helm) -> None:
    few = nested({"networkPolicy.enabled": True, "networkPolicy.metricsFrom": [{"podSelector": {}}]})
    objects = helm.render(few)

    allowed = [each["podSelector"] for each in objects.one("NetworkPolicy")["spec"]["ingress"][0]["from"]]
    assert {"matchLabels": objects.one("Pod")["metadata"]["labels"]} in allowed


def test_the_operator_calls_the_demos_aws_by_a_name_of_which_no_part_is_a_bucket(helm: Helm) -> None:
    """Of `aws.avatar-system` S3 takes `aws` for a bucket, and no object is found. The whole name is known to be none."""
    objects = helm.render(nested({"demo.enabled": True, "crds.enabled": False}))
    (container,) = objects.one("Deployment", "avatar-operator-aws")["spec"]["template"]["spec"]["containers"]
    names = [each.removeprefix("--allow-host=") for each in container["args"] if "--allow-host" in each]

    assert objects.variable("AWS_ENDPOINT_URL") == "http://avatar-operator-aws:4566"
    assert names == ["avatar-operator-aws", "avatar-operator-aws.avatar-system.svc.cluster.local"]


def test_one_replica_has_no_budget_that_would_stop_every_drain(helm: Helm) -> None:
    assert helm.render({"replicas": 1}).of("PodDisruptionBudget") == []


def test_the_notes_name_the_release_and_what_comes_next(helm: Helm) -> None:
    notes = helm.run(
        "install", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--dry-run=client", "--hide-secret"
    ).partition("NOTES:")[2]
    assert f"kubectl -n {NAMESPACE} rollout status deployment/avatar-operator" in notes
    assert "eks.amazonaws.com/role-arn" in notes
    assert "{{" not in notes


@pytest.mark.parametrize(
    ("kind", "switch", "endpoints"),
    [
        ("ServiceMonitor", "metrics.serviceMonitor", "endpoints"),
        ("PodMonitor", "metrics.podMonitor", "podMetricsEndpoints"),
    ],
)
def test_a_tenants_namespace_in_a_metric_is_not_replaced_by_the_pods(
    helm: Helm, kind: str, switch: str, endpoints: str
) -> None:
    (endpoint,) = helm.render(nested({f"{switch}.enabled": True})).one(kind)["spec"][endpoints]
    assert endpoint["honorLabels"] is True
