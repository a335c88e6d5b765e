"""The command line where nothing can run: one clear line, a non-zero exit, and nothing left behind."""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path

import pytest

from avatar_demo.__main__ import main
from avatar_demo.narration import Trouble
from avatar_demo.watching import Patience


def run(*arguments: str, state: Path) -> int:
    return main([*arguments, "--state-dir", str(state)])


def test_a_port_in_use_is_found_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert run("up", "--aws-port", str(port), state=tmp_path) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: sagemaker-local cannot listen on port {port}")
    assert error.count("\n") == 1
    assert [path.name for path in (tmp_path / "environment").iterdir()] == ["lock"]


def test_down_where_nothing_was_ever_started_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("down", state=tmp_path / "nothing") == 0
    assert capsys.readouterr().out == "nothing runs\n"
    assert not (tmp_path / "nothing").exists()


def test_status_where_nothing_runs_says_so_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status", state=tmp_path) == 1
    assert capsys.readouterr().out.count("stopped") == 3


def test_restarting_the_operator_of_an_environment_that_does_not_run_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("restart", "operator", state=tmp_path) == 1
    assert "start the demo's environment with `make demo`" in capsys.readouterr().err


def test_a_second_command_at_the_same_time_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environment").mkdir()
    with (tmp_path / "environment" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run("down", state=tmp_path) == 1
    assert "another command is starting or stopping the demo" in capsys.readouterr().err


def test_a_state_directory_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    assert run("up", state=tmp_path / "file") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_patience_outlasts_a_failure_that_passes() -> None:
    patience = Patience(20.0)
    problem = Trouble("AvatarRuntime a", "Throttled", "", may_pass=True)
    assert patience.exhausted_by(problem, 0.0) is None
    assert patience.exhausted_by(None, 15.0) is None
    assert patience.exhausted_by(problem, 25.0) is None
    assert patience.exhausted_by(problem, 45.0) is problem


def test_there_is_no_patience_with_a_failure_that_is_final() -> None:
    problem = Trouble("AvatarModel a", "TooFewUsablePhotos", "", may_pass=False)
    assert Patience(20.0).exhausted_by(problem, 0.0) is problem
