"""The images that the demo's Pods are made of, of the sources as they are, on the node under the names that the chart has for them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from container_images.cache import cache_directory
from container_images.images import image_named, project_version
from container_images.quick import quick_image
from container_images.standard_tool import revision
from container_images.uv_program import find_uv
from local_cluster.kind_cluster import KindCluster
from local_cluster.node.cluster import NodeCluster

NAMES = ("avatar-operator", "sagemaker-local")


def write_image(name: str, directory: Path) -> Path:
    """Make an image.

    Args:
        name: which.
        directory: receives the archive.

    Raises:
        ImageError: it cannot be made on this machine.
    """
    archive = directory / f"{name}.tar"
    with tempfile.TemporaryDirectory(dir=directory) as work:
        made = quick_image(image_named(name), find_uv(), cache_directory(), Path(work), revision())
        # What a container runtime makes of a name without a registry.
        made.write(archive, f"docker.io/library/{name}:{project_version()}")
    return archive


def import_image(node: NodeCluster | KindCluster, archive: Path) -> None:
    """Give an image to the node, and its file's room back.

    Raises:
        LocalClusterError: containerd refuses it.
    """
    node.import_image(archive)
    archive.unlink()
