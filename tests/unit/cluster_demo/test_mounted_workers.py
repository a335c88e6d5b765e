"""The workers in sagemaker-local's Pod: what is claimed is mounted, to be read, and is all that the workers are imported from."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from avatar_demo.settings import EXAMPLE, PROJECT
from cluster_demo.mounted_workers import IMAGES, chart_values, manifest, mounted_folders


def test_every_mount_is_of_a_claim_that_is_bound_to_a_folder_of_this_machine() -> None:
    folders = mounted_folders()
    items = json.loads(manifest(folders, "avatar-system"))["items"]
    volumes = {item["metadata"]["name"]: item["spec"] for item in items if item["kind"] == "PersistentVolume"}
    claims = [item for item in items if item["kind"] == "PersistentVolumeClaim"]
    values = chart_values(folders)

    assert {claim["metadata"]["name"] for claim in claims} == {
        volume["persistentVolumeClaim"]["claimName"] for volume in values["extraVolumes"]
    }
    for claim in claims:
        volume = volumes[claim["spec"]["volumeName"]]
        assert volume["claimRef"] == {key: claim["metadata"][key] for key in ("namespace", "name")}
        assert Path(volume["hostPath"]["path"]).is_dir()
    assert all(volume["persistentVolumeClaim"]["readOnly"] for volume in values["extraVolumes"])
    assert all(mount["readOnly"] for mount in values["extraVolumeMounts"])


def test_the_workers_are_imported_from_the_mounts_alone() -> None:
    folders = mounted_folders()
    mounted = [mount["mountPath"] for mount in chart_values(folders)["extraVolumeMounts"]]
    for argument, module in zip(chart_values(folders)["args"], IMAGES.values(), strict=True):
        words = shlex.split(argument.split("=", 2)[2])
        (path,) = [word.removeprefix("PYTHONPATH=") for word in words if word.startswith("PYTHONPATH=")]
        assert path.split(":") == mounted
        assert words[-3:] == ["/usr/bin/python3", "-m", module]
        assert any((folder.path / module.split(".")[0]).is_dir() for folder in folders)


def test_every_image_of_the_example_has_workers() -> None:
    named = [
        line.split()[1] for line in (EXAMPLE / "runtime.yaml").read_text().splitlines() if "  image:" in line
    ]
    assert sorted(named) == sorted(IMAGES)


def test_the_checkout_itself_is_not_mounted() -> None:
    assert not any(PROJECT.is_relative_to(folder.path) for folder in mounted_folders())
