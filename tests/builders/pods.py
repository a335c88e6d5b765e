"""Pods that a namespace with the profile `restricted` takes, of an image that holds Debian's Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from container_images.base import base_tar
from container_images.cache import cache_directory
from container_images.dockerfile import ImageWords
from container_images.oci_archive import Layer, write_archive
from local_cluster.kind_cluster import KindCluster
from local_cluster.node.cluster import NodeCluster

ClusterWithPods = NodeCluster | KindCluster
"""What both have: all of `Cluster`, `import_image` and `host_address`."""
PYTHON_IMAGE = "docker.io/avatar-tests/python:1"


def write_python_image(archive: Path) -> None:
    """Write the image whose entry point is Python."""
    words = ImageWords(
        user="65532:65532",
        entrypoint=["/usr/bin/python3", "-u"],
        environment={"PATH": "/usr/bin:/bin"},
        labels={},
        ports=[],
    )
    write_archive(archive, PYTHON_IMAGE, [Layer.of_tar(base_tar(cache_directory()))], words)


def restricted_pod(name: str, *arguments: str, image: str = PYTHON_IMAGE, **spec: Any) -> str:
    """A Pod's manifest.

    Args:
        name: of the Pod, and the value of its label `app`.
        arguments: of the image's entry point.
        image: which is on the node.
        spec: fields of the Pod's spec.
    """
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [
                    {
                        "name": "main",
                        "image": image,
                        "imagePullPolicy": "Never",
                        "args": list(arguments),
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": True,
                        },
                    }
                ],
                **spec,
            },
        }
    )
