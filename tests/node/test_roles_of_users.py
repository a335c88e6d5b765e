"""What Kubernetes' own roles get from the chart, in a cluster whose controller-manager puts them together."""

from __future__ import annotations

import json
import time

import pytest

from builders.chart_on_a_node import ChartOnANode
from local_cluster.errors import LocalClusterError
from local_cluster.rights import Grant, granted

pytestmark = pytest.mark.node

GROUP = "avatars.dev"
OF_TENANTS = ("avatarmodels", "avatarrequests")
SEEING = {
    Grant(verb, GROUP, kind) for verb in ("get", "list", "watch") for kind in (*OF_TENANTS, "avatarruntimes")
}
CHANGING = {
    Grant(verb, GROUP, kind) for verb in ("create", "update", "patch", "delete") for kind in OF_TENANTS
}
EMPTYING = {Grant("deletecollection", GROUP, kind) for kind in OF_TENANTS}
GRANTS = {"view": SEEING, "edit": SEEING | CHANGING, "admin": SEEING | CHANGING | EMPTYING}
AGGREGATED_SECONDS = 30


def grants_of(chart: ChartOnANode, role: str) -> set[Grant]:
    """What a ClusterRole grants of our group, wildcards included."""
    found = json.loads(chart.cluster.kubectl("get", "clusterrole", role, "--output=json"))
    return {grant for grant in granted(found["rules"]) if grant.group in (GROUP, "*")}


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_of_kubernetes_has_what_the_chart_adds_to_it(installed_chart: ChartOnANode, role: str) -> None:
    deadline = time.monotonic() + AGGREGATED_SECONDS
    while (grants := grants_of(installed_chart, role)) != GRANTS[role]:
        assert time.monotonic() < deadline, grants
        time.sleep(0.2)


@pytest.mark.parametrize("role", GRANTS)
def test_whoever_has_a_role_of_kubernetes_is_refused_a_status(
    installed_chart: ChartOnANode, restricted_namespace: str, role: str
) -> None:
    cluster, user = installed_chart.cluster, f"somebody-who-may-{role}"
    place = f"--namespace={restricted_namespace}"
    cluster.kubectl("create", "rolebinding", role, place, f"--clusterrole={role}", f"--user={user}")
    for resource in OF_TENANTS:
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{restricted_namespace}/{resource}"
        assert json.loads(cluster.kubectl("get", "--raw", path, f"--as={user}"))["items"] == []
        with pytest.raises(LocalClusterError, match=f'"{user}" cannot update resource "{resource}/status"'):
            cluster.kubectl(
                *("replace", "--raw", f"{path}/it/status", "--filename=-", f"--as={user}"),
                standard_input="{}",
            )
