"""The workers for sagemaker-local's Pod: this checkout's own, and its virtual environment's packages, mounted to be read.

Their image would hold 6 GB of torch, and no daemonless way makes it in seconds. So each folder is a volume of the node, claimed
by name: Pod Security's `restricted` forbids a Pod to name a path of its node, and allows it to claim a volume that an admin made.
The image's own interpreter runs them: the virtual environment's may not exist there, and both are of the same minor version, or the
image would not have been made.
"""

from __future__ import annotations

import json
import shlex
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_demo.environment import torch_threads
from avatar_demo.settings import PROJECT

_MOUNTED_BELOW = "/mnt/avatar-workers"
_PYTHON = "/usr/bin/python3"
# In the Pod's scratch space. The folders are read-only, and a machine that has run no worker yet has no bytecode in them: each
# process would compile torch for itself.
_BYTECODE = "/tmp/bytecode"  # noqa: S108 - in the Pod
IMAGES = {"avatar-training": "avatar_workers.training", "avatar-serving": "avatar_workers.serving"}
"""The modules that run for the container images that the example names."""


@dataclass(frozen=True)
class MountedFolder:
    """A folder of this machine in a Pod.

    Attributes:
        name: of volume and claim.
        path: here.
    """

    name: str
    path: Path

    @property
    def in_pod(self) -> str:
        """Where the Pod has it."""
        return f"{_MOUNTED_BELOW}/{self.name}"

    @property
    def claim(self) -> str:
        """The name of its PersistentVolumeClaim."""
        return f"avatar-workers-{self.name}"

    def manifests(self, namespace: str) -> list[dict[str, Any]]:
        """The volume, and the claim to it."""
        size = {"storage": "1Gi"}
        return [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": self.claim},
                "spec": {
                    "accessModes": ["ReadOnlyMany"],
                    "capacity": size,
                    "storageClassName": "",
                    "hostPath": {"path": str(self.path), "type": "Directory"},
                    "claimRef": {"namespace": namespace, "name": self.claim},
                },
            },
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": self.claim, "namespace": namespace},
                "spec": {
                    "accessModes": ["ReadOnlyMany"],
                    "resources": {"requests": size},
                    "storageClassName": "",
                    "volumeName": self.claim,
                },
            },
        ]


def mounted_folders() -> list[MountedFolder]:
    """What the workers are made of, on this machine."""
    return [
        MountedFolder("packages", Path(sysconfig.get_path("purelib"))),
        MountedFolder("workers", PROJECT / "workers"),
        MountedFolder("api", PROJECT / "crds"),
    ]


def manifest(folders: list[MountedFolder], namespace: str) -> str:
    """All volumes and claims, to be applied before the Pod that has them."""
    items = [item for folder in folders for item in folder.manifests(namespace)]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def chart_values(folders: list[MountedFolder]) -> dict[str, Any]:
    """The chart's `demo.sagemakerLocal` that has them and runs them."""
    environment = {
        "PYTHONPATH": ":".join(folder.in_pod for folder in folders),
        "PYTHONPYCACHEPREFIX": _BYTECODE,
        "AVATAR_TORCH_THREADS": str(torch_threads()),
    }
    prefix = [
        "env",
        "-u",
        "PYTHONDONTWRITEBYTECODE",
        *(f"{name}={value}" for name, value in environment.items()),
    ]
    return {
        "args": [
            f"--image={image}={shlex.join([*prefix, _PYTHON, '-m', module])}"
            for image, module in IMAGES.items()
        ],
        "extraVolumes": [
            {"name": folder.name, "persistentVolumeClaim": {"claimName": folder.claim, "readOnly": True}}
            for folder in folders
        ],
        "extraVolumeMounts": [
            {"name": folder.name, "mountPath": folder.in_pod, "readOnly": True} for folder in folders
        ],
        "resources": {"limits": {"memory": "8Gi"}},
    }
