"""The command line: bad input is one clear line and a non-zero exit."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sagemaker_local.main import app


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stderr.strip()


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run("--port", str(port))
    assert code == 1
    assert said == (
        f"sagemaker-local: cannot listen on 127.0.0.1:{port}: Address already in use "
        "(choose another --port, or 0 for a free one)"
    )


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("port = 'many'", "port = 'many' is not a setting"),
        ("colour = 'red'", "colour = 'red' is not a setting"),
        ("port = ", "Invalid value"),
        ("[images]\nt = 3", "images.t must be a command line or a list of words"),
        ("[images]\nt = ''", "the command line is empty"),
        ("allow_host = 'aws'", "allow_host = 'aws' is not a setting"),
        ("allow_host = ['aws:80']", "--allow-host 'aws:80' must be a name or an address alone"),
        ("allow_origin = [3]", "allow_origin = [3] is not a setting"),
        ("allow_origin = ['*']", "--allow-origin '*' must be an origin as browsers send it"),
        ("pass_env = ['A=1']", "--pass-env 'A=1' must be the name of an environment variable"),
    ],
)
def test_a_bad_configuration_file_is_told(tmp_path: Path, toml: str, complaint: str) -> None:
    config = tmp_path / "aws.toml"
    config.write_text(toml)
    code, said = run("--config", str(config))
    assert code == 1
    assert said.startswith("sagemaker-local: ")
    assert complaint in said
    assert "\n" not in said


def test_a_bad_image_option_is_told() -> None:
    assert run("--image", "noequals") == (
        1,
        "sagemaker-local: --image 'noequals' must look like NAME=COMMAND LINE",
    )


def test_a_configuration_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, said = run("--config", str(tmp_path / "none.toml"))
    assert code == 1
    assert "No such file" in said


def test_a_clock_that_stands_still_is_refused() -> None:
    code, said = run("--port", "0", "--clock-speed", "0")
    assert (code, said) == (
        1,
        "sagemaker-local: the clock's speed must be above 0 and at most 100000, not 0.0",
    )


def test_help_tells_every_option() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    options = ("--port", "--image", "--data-dir", "--url-file", "--config", "--clock-speed")
    for option in (*options, "--allow-host", "--allow-origin", "--pass-env"):
        assert option in result.stdout
