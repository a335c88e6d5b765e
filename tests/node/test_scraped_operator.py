"""Debian's Prometheus watches the chart's Pods on a real node, told by the Prometheus operator what to scrape and what to alert of.

Tenants work on it, on a local AWS and on the simulated backend (`Load`), until every panel and every alert has what it asks for.
What serving containers publish is no part of that: at SageMaker nobody can scrape them, and the chart's monitors do not.
`test_watched_operator` asks for that as well, of one that is played.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.operator_load.api_server import ApiServer
from benchmarks.operator_load.stage import NAMESPACE as CROWD
from benchmarks.watched_operator.load import Load, every_second
from benchmarks.watched_operator.questions import Questions
from kubernetes.client.exceptions import ApiException

from builders.chart_on_a_node import ChartOnANode
from builders.manifests import merged
from chart.rendering import NAMESPACE, RELEASE, nested
from dashboards.answers import filled_in
from dashboards.prometheus_server import Prometheus
from e2e.flight import STAND_IN, Flight, eventually
from indispensable import needed_program
from local_cluster.prometheus_operator import PrometheusOperator
from monitoring.asked import asked_by_alerts, asked_by_panels, nothing_missed
from monitoring.cluster_prometheus import SELECTED, ClusterPrometheus
from monitoring.promql import publisher, selections
from monitoring.test_alerts import RULES
from reference_pages.published_metrics import serving_metrics
from sagemaker_local.testing import LocalAws

pytestmark = pytest.mark.node

PATIENCE_SECONDS = 120.0
TENANT = "studio-north"
"""Whose runtime is on the local AWS; the crowd's is a simulated one."""


def monitored(kind: str) -> dict[str, Any]:
    """Values with one of the monitors, and with the alerts."""
    return nested(
        {
            f"metrics.{kind}.enabled": True,
            f"metrics.{kind}.interval": "1s",
            f"metrics.{kind}.additionalLabels": SELECTED,
            "metrics.prometheusRule.enabled": True,
            "metrics.prometheusRule.additionalLabels": SELECTED,
        }
    )


def publishers(expression: str) -> set[str]:
    """Who publishes what an expression asks for: serving containers, operators, or both."""
    asked = filled_in(expression, {"__rate_interval": "1m", "__range": "1m", "namespace": TENANT})
    return {
        "operators" if publisher(selection.metric, serving_metrics()) is None else "serving containers"
        for selection in selections(asked)
    }


def of_operators(expressions: list[str]) -> list[str]:
    """Those that can be answered here."""
    return [expression for expression in expressions if "operators" in publishers(expression)]


@dataclass(frozen=True)
class Watched:
    """The chart's Pods, and who watches them."""

    chart: ChartOnANode
    values: dict[str, Any]
    cluster_prometheus: ClusterPrometheus
    seen: Questions


@pytest.fixture(scope="module")
def watched(
    chart_on_a_node: ChartOnANode,
    prometheus_operator: PrometheusOperator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    """A run in which everything has happened that is asked for, or too much time has gone by."""
    needed_program("prometheus", "prometheus")
    directory, cluster = tmp_path_factory.mktemp("watched"), chart_on_a_node.cluster
    with (
        LocalAws(images={"stand-in": STAND_IN}, host=cluster.host_address) as aws,
        ClusterPrometheus(cluster, prometheus_operator, directory) as cluster_prometheus,
    ):
        variables = [{"name": name, "value": value} for name, value in aws.environment.items()]
        values = {"extraEnv": variables, "operator": {"sweepSeconds": 20}}
        chart_on_a_node.apply(values=merged(values, monitored("serviceMonitor")))
        told = cluster_prometheus.configuration(f"serviceMonitor/{NAMESPACE}/{RELEASE}/0")
        with (
            Prometheus(directory / "prometheus", told) as prometheus,
            ApiServer(cluster.admin_kubeconfig) as api,
        ):
            for namespace in (TENANT, CROWD):
                cluster.create_namespace(namespace)
            tenant = Flight(cluster, TENANT, aws)
            load = Load(api, [tenant])
            load.begin()
            seen = Questions(prometheus, time.time(), TENANT)
            asked = of_operators([*asked_by_panels(), *asked_by_alerts()])
            enough = nothing_missed(seen, asked, PATIENCE_SECONDS)
            every_second(load.go_on, lambda: enough(time.time() - seen.began))
            yield Watched(chart_on_a_node, values, cluster_prometheus, seen)
            # Nobody guards the finalizers once the release is gone.
            chart_on_a_node.uninstall()
            eventually(lambda: emptied(tenant), what="a cluster without objects of ours")
            for namespace in (TENANT, CROWD):
                cluster.delete_namespace(namespace)


def emptied(tenant: Flight) -> bool:
    """Whether all objects could be taken away: the API server heeds a policy for a moment after it has gone."""
    try:
        tenant.clean_up()
    except ApiException:
        return False
    return True


def targets(prometheus: Prometheus, pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is scraped, once both Pods are."""
    return eventually(
        prometheus.targets,
        lambda found: (
            sorted(each["labels"].get("pod", "") for each in found if each["health"] == "up")
            == sorted(pod["metadata"]["name"] for pod in pods)
        ),
        what="two targets that are up",
    )


def labels_of(pod: dict[str, Any], **more: str) -> dict[str, str]:
    return {
        "namespace": NAMESPACE,
        "pod": pod["metadata"]["name"],
        "instance": f"{pod['status']['podIP']}:8080",
        "container": "operator",
        "endpoint": "http",
        **more,
    }


def by_pod(labels: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(labels, key=lambda each: each["pod"])


def test_a_service_monitor_leads_to_both_pods(watched: Watched) -> None:
    pods = watched.chart.pods()
    found = targets(watched.seen.prometheus, pods)

    assert by_pod([each["labels"] for each in found]) == by_pod(
        [labels_of(pod, job=RELEASE, service=RELEASE) for pod in pods]
    )


def test_a_pod_monitor_leads_to_both_pods_as_well(watched: Watched, tmp_path: Path) -> None:
    watched.chart.apply(values=merged(watched.values, monitored("podMonitor")))
    told = watched.cluster_prometheus.configuration(f"podMonitor/{NAMESPACE}/{RELEASE}/0")
    pods = watched.chart.pods()
    with Prometheus(tmp_path, told) as prometheus:
        found = targets(prometheus, pods)

    assert by_pod([each["labels"] for each in found]) == by_pod(
        [labels_of(pod, job=f"{NAMESPACE}/{RELEASE}") for pod in pods]
    )


def test_every_panel_about_operators_has_an_answer(watched: Watched) -> None:
    asked = of_operators(asked_by_panels())
    assert [expression for expression in asked if not watched.seen.asks(expression)] == []


def test_what_is_not_asked_here_is_about_serving_containers_alone() -> None:
    everything = [*asked_by_panels(), *asked_by_alerts()]
    elsewhere = set(everything) - set(of_operators(everything))
    assert elsewhere
    assert all(publishers(expression) == {"serving containers"} for expression in elsewhere)
    assert elsewhere.isdisjoint(asked_by_alerts())


def test_everything_that_an_alert_compares_is_there(watched: Watched) -> None:
    assert [expression for expression in asked_by_alerts() if not watched.seen.asks(expression)] == []


def test_a_tenants_namespace_is_not_that_of_the_pod(watched: Watched) -> None:
    found = watched.seen.asks("sum by (namespace) (avatar_gpu_seconds_total)")
    assert {TENANT, CROWD} <= {series.labels["namespace"] for series in found}
    assert NAMESPACE not in {series.labels["namespace"] for series in found}


def test_prometheus_has_read_every_alert_of_the_chart(watched: Watched) -> None:
    rules = watched.seen.prometheus.rules()
    assert [rule["name"] for rule in rules] == list(RULES)
    assert {(rule["health"], rule.get("lastError", "")) for rule in rules} == {("ok", "")}
    assert {
        rule["name"] for rule in rules if rule["labels"]["severity"] == "critical" and rule["alerts"]
    } == set()


def test_an_operator_without_pods_is_noticed(watched: Watched) -> None:
    watched.chart.apply(values=merged(merged(watched.values, monitored("serviceMonitor")), {"replicas": 0}))
    watched.cluster_prometheus.discover()

    def waking() -> set[str]:
        return {rule["name"] for rule in watched.seen.prometheus.rules() if rule["state"] != "inactive"}

    eventually(waking, lambda found: "AvatarOperatorDown" in found, what="the alert that nobody is scraped")
