"""What `make system-packages` asks apt for: apt itself is stood in for by a script that writes down what it is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_cluster.node import requirements
from system_packages.__main__ import main

_PROGRAMS = (
    *(
        "containerd",
        "ctr",
        "containerd-shim-runc-v2",
        "runc",
        "iptables",
        "ip",
        "sysctl",
        "nsenter",
        "unshare",
    ),
    "mmdebstrap",
)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with apt and nothing else; what apt was asked is in this file."""
    asked = tmp_path / "asked"
    programs = " ".join(str(tmp_path / "bin" / name) for name in _PROGRAMS)
    brings = f"for each in {programs}; do [ -e $each ] || {{ : > $each; /bin/chmod 755 $each; }}; done"
    _write_program(
        tmp_path / "bin" / "apt-get", f'echo "$*" >> {asked}; [ "$1" != install ] || {{ {brings}; }}'
    )
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("bridge", "host-local", "loopback", "portmap"):
        (plugins / name).touch()
    monkeypatch.setattr(requirements, "CNI_PLUGINS", plugins)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return asked


def test_packages_of_missing_programs_are_installed(asked: Path) -> None:
    assert main() == 0
    update, install = asked.read_text().splitlines()
    assert update == "--quiet update"
    assert install.startswith("install --yes --no-install-recommends containerd ")
    assert {"mmdebstrap", "runc", "iptables"} <= set(install.split())


def test_a_program_that_is_there_under_any_packages_name_is_left_alone(asked: Path) -> None:
    for program in ("containerd", "ctr", "containerd-shim-runc-v2"):
        _write_program(asked.parent / "bin" / program, "exit 0")
    assert main() == 0
    assert "containerd" not in asked.read_text().split()


def test_programs_that_came_and_are_not_on_the_path_are_no_success(
    asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_program(asked.parent / "bin" / "apt-get", "exit 0")
    assert main() == 1
    said = capsys.readouterr().err
    assert "iptables" in said
    assert "is /usr/sbin in PATH" in said


def test_what_apt_says_is_the_error(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_program(asked.parent / "bin" / "apt-get", "echo noise >&2; echo 'E: no network' >&2; exit 100")
    assert main() == 1
    assert capsys.readouterr().err == "error: apt-get --quiet update: E: no network\n"


@pytest.mark.usefixtures("asked")
def test_whoever_is_not_root_is_told_what_root_has_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main() == 1
    assert "it takes root and apt to: apt-get install" in capsys.readouterr().err


def _write_program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
