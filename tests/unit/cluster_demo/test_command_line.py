"""The command line where no node can run, and what is left of one that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

import cluster_demo.__main__ as command_line
from avatar_demo.errors import DemoError
from cluster_demo.evidence import write_evidence
from cluster_demo.run import ClusterRun
from local_cluster.access import Cluster


@pytest.fixture
def possible(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can have nodes and images."""
    monkeypatch.setattr(command_line, "why_no_node", lambda: None)
    monkeypatch.setattr(command_line, "why_no_image", lambda: None)
    # Of the command's process, not of the tests'.
    monkeypatch.setattr(command_line, "leave_other_clouds", lambda: None)
    monkeypatch.setattr(command_line, "stop_cleanly_when_told", lambda: None)


def test_without_root_one_line_says_so_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "why_no_node", lambda: "a node needs root")

    assert command_line.main(["--state-dir", str(tmp_path / "state")]) == 1

    assert capsys.readouterr().err == "error: a node needs root\n"
    assert not (tmp_path / "state").exists()


@pytest.mark.usefixtures("possible")
def test_a_failure_is_told_in_one_line_and_the_next_one_names_the_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: ClusterRun) -> None:
        run.logs = run.evidence
        raise DemoError("AvatarModel demo/ann failed:\nPhotosNotFound")

    monkeypatch.setattr(ClusterRun, "run", fail)

    assert command_line.main(["--state-dir", str(tmp_path)]) == 1

    said = capsys.readouterr().err.splitlines()
    assert said == [
        "error: AvatarModel demo/ann failed: PhotosNotFound",
        f"logs are in {tmp_path / 'evidence'}",
    ]


@pytest.mark.usefixtures("possible")
def test_an_interrupted_run_says_that_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_run: ClusterRun) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ClusterRun, "run", interrupted)

    assert command_line.main(["--state-dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted; nothing is left running\n"


def test_evidence_of_a_cluster_that_answers_nothing_is_that_it_does_not(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")
    kubectl.chmod(0o755)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "of-an-earlier-run").touch()

    write_evidence(Cluster(tmp_path / "kubeconfig", kubectl, tmp_path), tmp_path / "evidence")

    found = {path.name: path.read_text() for path in (tmp_path / "evidence").iterdir()}
    assert sorted(found) == ["avatars.txt", "events.txt", "pods.txt"]
    assert all("connection refused" in text for text in found.values())
