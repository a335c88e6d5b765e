"""Where the operator is at home if nobody says so: the Kubernetes client dies without an answer."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

import avatar_operator.kube


def test_a_number_without_a_name_is_at_home_in_the_root_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    importlib.reload(avatar_operator.kube)
    assert os.environ["HOME"] == "/"


def test_a_home_that_is_set_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    importlib.reload(avatar_operator.kube)
    assert os.environ["HOME"] == str(tmp_path)
