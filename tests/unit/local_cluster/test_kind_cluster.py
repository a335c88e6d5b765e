"""kind is told what it understands. It is played here: no machine that runs these tests has to have Docker."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from local_cluster.errors import LocalClusterError
from local_cluster.kind_cluster import CONFIGURATION, KindCluster, why_not

_PLAYED = """#!/bin/sh
echo "$(basename "$0") $*" >> "{calls}"
case "$*" in
  network*) echo 'fc00:f853:ccd:e793::1 172.18.0.1 ' ;;
  *refused*) echo 'ERROR: failed to load image: refused' >&2; exit 1 ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands that were run, one a line."""
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    for name in ("kind", "docker"):
        (programs / name).write_text(_PLAYED.format(calls=calls))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return calls


def test_the_cluster_is_made_takes_images_and_is_deleted(calls: Path, tmp_path: Path) -> None:
    with KindCluster("avatars", Path("/bin/true"), tmp_path) as cluster:
        cluster.import_image(tmp_path / "image.tar")
        address = cluster.host_address

    assert address == "172.18.0.1"
    kubeconfig = f"--kubeconfig={tmp_path / 'admin.kubeconfig'}"
    assert calls.read_text().splitlines() == [
        f"kind create cluster --name=avatars --config={CONFIGURATION} {kubeconfig} --wait=180s",
        f"kind load image-archive {tmp_path / 'image.tar'} --name=avatars",
        "docker network inspect kind --format={{range .IPAM.Config}}{{.Gateway}} {{end}}",
        f"kind delete cluster --name=avatars {kubeconfig}",
    ]


@pytest.mark.usefixtures("calls")
def test_what_kind_refuses_is_one_clear_line(tmp_path: Path) -> None:
    cluster = KindCluster("avatars", Path("/bin/true"), tmp_path)

    with pytest.raises(
        LocalClusterError, match=r"^kind load image-archive: ERROR: failed to load image: refused$"
    ):
        cluster.import_image(tmp_path / "refused.tar")


def test_who_has_no_kind_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert why_not() == "kind is not on PATH; get it with: go install sigs.k8s.io/kind@v0.33.0"


def test_the_configuration_has_one_node_and_lets_nobody_in_from_outside() -> None:
    configuration = yaml.safe_load(CONFIGURATION.read_text())

    assert (configuration["kind"], configuration["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    assert configuration["nodes"] == [{"role": "control-plane"}]
    assert configuration["networking"] == {"apiServerAddress": "127.0.0.1"}
