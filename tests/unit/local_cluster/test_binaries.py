"""Which control plane is used, and what is said when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from local_cluster import binaries, go_module_build, prebuilt_archive
from local_cluster.binary_cache import PROGRAMS
from local_cluster.errors import LocalClusterError
from local_cluster.prebuilt_archive import Archive


def write_programs(directory: Path, version: str) -> Path:
    directory.mkdir(parents=True)
    for program in PROGRAMS:
        path = directory / program
        path.write_text(f"#!/bin/sh\necho {program} {version}\n")
        path.chmod(0o755)
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a machine without KUBEBUILDER_ASSETS."""
    monkeypatch.setenv("AVATAR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache" / "control-plane"


@pytest.fixture
def no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive at an address where nobody listens: port 1 of this machine."""
    nowhere = Archive("http://127.0.0.1:1/archive.tar.gz", "0" * 128)
    monkeypatch.setattr(prebuilt_archive, "ARCHIVES", {"amd64": nowhere, "arm64": nowhere})


def folder_of_the_go_build() -> str:
    return binaries._build_name(binaries._architecture())


def test_cached_programs_are_used_without_a_word(cache: Path) -> None:
    directory = write_programs(cache / folder_of_the_go_build(), "v1")
    said: list[str] = []

    found = binaries.ensure(said.append)

    assert found.kube_apiserver == directory / "kube-apiserver"
    assert said == []


def test_an_empty_cache_has_no_programs(cache: Path) -> None:
    assert binaries.find(print) is None


def test_kubebuilder_assets_of_this_release_are_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = go_module_build.KUBERNETES_VERSION.rpartition(".")[0] + ".99"
    assets = write_programs(tmp_path / "assets", version)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    found = binaries.find(print)

    assert found is not None
    assert found.etcd == assets / "etcd"


def test_kubebuilder_assets_of_another_release_are_passed_over_and_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(write_programs(tmp_path / "assets", "v1.20.1")))
    said: list[str] = []

    assert binaries.find(said.append) is None
    assert len(said) == 1
    assert "is not a Kubernetes v1." in said[0]


def test_without_archive_and_go_one_line_names_both(
    cache: Path, no_archive: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")

    assert binaries.main([]) == 1

    last_line = capsys.readouterr().err.splitlines()[-1]
    assert "Connection refused" in last_line
    assert "Go is not installed" in last_line
    assert [path.name for path in cache.iterdir()] == [".lock"]


def test_a_go_that_is_too_old_is_named(
    cache: Path, no_archive: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_go = tmp_path / "bin" / "go"
    old_go.parent.mkdir()
    old_go.write_text("#!/bin/sh\necho go1.19.8\n")
    old_go.chmod(0o755)
    monkeypatch.setenv("PATH", str(old_go.parent))

    with pytest.raises(LocalClusterError, match=r"go1\.19\.8.* needs Go 1\.24 or newer"):
        binaries.ensure(print)


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_go_without_a_network_is_one_clear_line(
    cache: Path, no_archive: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOCACHE", str(tmp_path / "builds"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")

    with pytest.raises(LocalClusterError, match="Go modules cannot be downloaded") as raised:
        binaries.ensure(print)

    assert "\n" not in str(raised.value)
    assert [path.name for path in cache.iterdir()] == [".lock"]


def test_a_machine_that_is_not_supported_is_told_the_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(LocalClusterError, match=r"x86-64 or arm64.*riscv64.*KUBECONFIG"):
        binaries.find(print)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            ["k8s.io/api", "x.go:1: write /tmp/x: no space left on device", "go: exit 1"],
            "the disk is full (/tmp/x)",
        ),
        (["go: m@v1: Get x: dial tcp: lookup proxy: no such host"], "Go modules cannot be downloaded"),
        (["go: downloading m v1", "k8s.io/api", "# k8s.io/api", "x.go:1:2: undefined: y"], "undefined: y"),
        (["k8s.io/api"], "it said nothing"),
    ],
)
def test_the_line_of_go_that_matters_is_chosen(said: list[str], expected: str) -> None:
    assert expected in go_module_build._explain(said)


def test_archive_and_go_build_are_of_the_same_minor_release() -> None:
    def minor(version: str) -> str:
        return version.rpartition(".")[0]

    assert minor(prebuilt_archive.ARCHIVE_VERSION) == minor(go_module_build.KUBERNETES_VERSION)
