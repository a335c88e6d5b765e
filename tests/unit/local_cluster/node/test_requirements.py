"""One line says why a machine can have no node, and how to mend it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from local_cluster.__main__ import main
from local_cluster.node import requirements
from local_cluster.node.requirements import why_not


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_whoever_is_not_root_is_told_so_by_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert main(["up", "--node", f"--state-dir={tmp_path / 'cluster'}"]) == 1

    assert capsys.readouterr().err == (
        "error: a node needs root: it makes namespaces, a network link and control groups\n"
    )
    assert not (tmp_path / "cluster").exists()


@pytest.mark.usefixtures("as_root")
def test_missing_programs_are_named_with_the_packages_that_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        shutil, "which", lambda program: None if program in {"ctr", "runc"} else f"/bin/{program}"
    )
    monkeypatch.setattr(requirements, "CNI_PLUGINS", tmp_path)

    assert why_not() == (
        f"a node needs ctr, runc, the network plugins in {tmp_path} "
        "(make system-packages, or: apt-get install --no-install-recommends "
        "containerd containernetworking-plugins runc)"
    )
