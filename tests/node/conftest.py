"""What is on a real node: a namespace, an image with Python for its Pods, the operator's image, and the chart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.chart_on_a_node import ChartOnANode
from builders.pods import ClusterWithPods, write_python_image
from chart.conftest import helm, prometheus_operator, tools
from chart.rendering import NAMESPACE, Helm
from cluster_demo.node_images import import_image, write_image
from indispensable import needed_images
from local_cluster.node.cluster import NodeCluster

__all__ = ["helm", "prometheus_operator", "tools"]


@pytest.fixture(scope="session")
def python_image(node_cluster: ClusterWithPods, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Has the node know the image."""
    needed_images()
    archive: Path = tmp_path_factory.mktemp("python-image") / "python.tar"
    write_python_image(archive)
    node_cluster.import_image(archive)
    archive.unlink()


@pytest.fixture(scope="session")
def chart_on_a_node(
    node_cluster: ClusterWithPods, helm: Helm, tmp_path_factory: pytest.TempPathFactory
) -> ChartOnANode:
    """The chart, which nobody has installed yet, in a namespace for restricted Pods; its image is on the node."""
    needed_images()
    directory = tmp_path_factory.mktemp("operator-image")
    import_image(node_cluster, write_image("avatar-operator", directory))
    chart = ChartOnANode.with_any_uid(node_cluster, helm)
    node_cluster.apply_restricted_namespace(NAMESPACE)
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


@pytest.fixture
def restricted_namespace(node_cluster: ClusterWithPods) -> Iterator[str]:
    """A namespace that refuses Pods with any more rights than they need."""
    name = f"node-{uuid.uuid4().hex[:8]}"
    node_cluster.apply_restricted_namespace(name)
    yield name
    node_cluster.delete_namespace(name)
