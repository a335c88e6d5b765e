"""Helm, kubeconform and the Prometheus operator, built once into this user's cache."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from chart.rendering import CHART, Helm, Objects
from chart.value_effects import DASHBOARD
from local_cluster import chart_tools
from local_cluster.chart_tools import ChartTools
from local_cluster.prometheus_operator import PrometheusOperator
from local_cluster.prometheus_operator import ensure as ensure_prometheus_operator


@pytest.fixture(scope="session")
def tools() -> ChartTools:
    return chart_tools.ensure(report=lambda line: print(line, file=sys.stderr, flush=True))


@pytest.fixture(scope="session")
def prometheus_operator() -> PrometheusOperator:
    """The program that reads what the chart has for it, and the definitions of those kinds."""
    return ensure_prometheus_operator(report=lambda line: print(line, file=sys.stderr, flush=True))


@pytest.fixture(scope="session")
def helm(tools: ChartTools, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tools.helm, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def by_default(helm: Helm) -> Objects:
    """What is rendered if nobody says anything."""
    return helm.render()


@pytest.fixture(scope="session")
def with_a_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart, with one dashboard alone, whose legend is in the braces of Grafana's own templates."""
    chart = tmp_path_factory.mktemp("charts") / "avatar-operator"
    shutil.copytree(CHART, chart)
    dashboards = chart / "files" / "dashboards"
    shutil.rmtree(dashboards, ignore_errors=True)
    dashboards.mkdir()
    (dashboards / "one.json").write_text(json.dumps(DASHBOARD, indent=2))
    return chart
