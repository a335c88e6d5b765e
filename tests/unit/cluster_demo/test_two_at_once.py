"""A second demo in the same place finds the first one's node, which is not its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import cluster_demo.run as run
from local_cluster import chart_tools
from local_cluster.errors import LocalClusterError


class RunningNode:
    """The node of another demo."""

    def __init__(self, _state_dir: Path, **_options: Any) -> None:
        pass

    def start(self) -> bool:
        return False

    def stop(self) -> bool:
        raise AssertionError("the node is another demo's")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the node is another demo's, and {name} was asked for")


def test_a_second_demo_leaves_the_node_and_the_findings_of_the_first_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "NodeCluster", RunningNode)
    monkeypatch.setattr(chart_tools, "ensure", lambda _report: SimpleNamespace(helm=Path("helm")))
    monkeypatch.setattr(run, "write_image", lambda name, room: room / name)
    second = run.ClusterRun(tmp_path, Console(), timeout=1)
    second.evidence.mkdir()

    with pytest.raises(LocalClusterError, match=r"a node runs in .* already"):
        second.run()

    assert second.evidence.exists()
    assert second.logs != second.evidence
    assert "the node is gone" not in capsys.readouterr().out
