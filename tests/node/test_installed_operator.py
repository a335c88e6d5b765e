"""The chart on a real node, from its installation to its end."""

from __future__ import annotations

import pytest

from builders.chart_on_a_node import ChartOnANode
from chart.rendering import NAMESPACE

pytestmark = pytest.mark.node


def test_two_replicas_run_by_a_number_that_nobody_knows(installed_chart: ChartOnANode) -> None:
    pods = installed_chart.pods()

    assert len(pods) == 2
    for pod in pods:
        uid = installed_chart.cluster.kubectl(
            *("exec", pod["metadata"]["name"], f"--namespace={NAMESPACE}", "--"),
            *("python3", "-c", "import os; print(os.getuid())"),
        )
        assert int(uid) == installed_chart.uid
