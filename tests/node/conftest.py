"""What is on a real node: a namespace, an image with Python for its Pods, the operator's image, and the chart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.chart_on_a_node import ChartOnANode, import_operator
from builders.pods import ClusterWithPods, write_python_image
from chart.conftest import helm, prometheus_operator, tools
from chart.rendering import Helm
from container_images.base import why_not
from indispensable import missing
from local_cluster.node.cluster import NodeCluster

__all__ = ["helm", "prometheus_operator", "tools"]


@pytest.fixture(scope="session")
def python_image(node_cluster: ClusterWithPods, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Has the node know the image."""
    images_can_be_made()
    archive: Path = tmp_path_factory.mktemp("python-image") / "python.tar"
    write_python_image(archive)
    node_cluster.import_image(archive)
    archive.unlink()


@pytest.fixture(scope="session")
def chart_on_a_node(
    node_cluster: ClusterWithPods, helm: Helm, tmp_path_factory: pytest.TempPathFactory
) -> ChartOnANode:
    """The chart, which nobody has installed yet, in a namespace for restricted Pods; its image is on the node."""
    images_can_be_made()
    import_operator(node_cluster, tmp_path_factory.mktemp("operator-image"))
    chart = ChartOnANode.with_any_uid(node_cluster, helm)
    chart.make_namespace()
    return chart


@pytest.fixture
def audited_node(node_cluster: ClusterWithPods) -> NodeCluster:
    """The node's cluster, for tests that look at what was asked of its API server: kind's tells nobody."""
    if not isinstance(node_cluster, NodeCluster):
        pytest.skip("AVATAR_TEST_KIND names a cluster whose audit log we cannot read")
    return node_cluster


@pytest.fixture(scope="module")
def installed_chart(chart_on_a_node: ChartOnANode) -> ChartOnANode:
    """The chart as it is, installed and ready with two replicas, whatever other modules did with it. It stays for the next one."""
    chart_on_a_node.apply()
    return chart_on_a_node


def images_can_be_made() -> None:
    """Skip the test, or fail it, where no image can be made."""
    reason = why_not()
    if reason is not None:
        missing(f"an image for Pods: {reason}")


@pytest.fixture
def restricted_namespace(node_cluster: ClusterWithPods) -> Iterator[str]:
    """A namespace that refuses Pods with any more rights than they need."""
    name = f"node-{uuid.uuid4().hex[:8]}"
    node_cluster.create_namespace(name)
    node_cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    node_cluster.delete_namespace(name)
