"""A namespace on a real node, and an image with Python for its Pods."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.pods import ClusterWithPods, write_python_image
from container_images.base import why_not
from indispensable import missing


@pytest.fixture(scope="session")
def python_image(node_cluster: ClusterWithPods, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Has the node know the image."""
    reason = why_not()
    if reason is not None:
        missing(f"an image for Pods: {reason}")
    archive: Path = tmp_path_factory.mktemp("python-image") / "python.tar"
    write_python_image(archive)
    node_cluster.import_image(archive)
    archive.unlink()


@pytest.fixture
def restricted_namespace(node_cluster: ClusterWithPods) -> Iterator[str]:
    """A namespace that refuses Pods with any more rights than they need."""
    name = f"node-{uuid.uuid4().hex[:8]}"
    node_cluster.create_namespace(name)
    node_cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    node_cluster.delete_namespace(name)
