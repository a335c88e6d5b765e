"""How docker, podman and buildah are asked, and what is said where none of them works."""

from __future__ import annotations

from pathlib import Path

import pytest

from container_images.__main__ import main
from container_images.errors import ImageError
from container_images.images import image_named
from container_images.standard_tool import BuildOrder, build_command, find_tool

ORDER = BuildOrder("1.2.3", "abc")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _put(directory: Path, name: str, status: int) -> None:
    (directory / name).write_text(f"#!/bin/sh\nexit {status}\n")
    (directory / name).chmod(0o755)


def test_a_tool_is_asked_for_the_stage_the_tag_and_the_revision() -> None:
    assert build_command("docker", image_named("avatar-server"), ORDER) == [
        "docker",
        "build",
        "--file=workers/Dockerfile",
        "--tag=avatar-server:1.2.3",
        "--target=server",
        "--build-arg=VERSION=1.2.3",
        "--build-arg=REVISION=abc",
        ".",
    ]


def test_certificates_go_in_as_a_secret_and_stay_out_of_the_image() -> None:
    order = BuildOrder("1", "abc", ca=Path("/ca.pem"))
    command = build_command("podman", image_named("avatar-operator"), order)
    assert "--secret=id=ca,src=/ca.pem" in command
    assert {"--build-arg=SSL_CERT_FILE=/run/secrets/ca", "--build-arg=PIP_CERT=/run/secrets/ca"} <= set(
        command
    )


def test_buildah_needs_no_daemon_and_no_namespaces() -> None:
    command = build_command("buildah", image_named("avatar-operator"), ORDER)
    assert command[:4] == ["buildah", "build", "--isolation=chroot", "--format=oci"]


def test_the_first_tool_that_works_is_taken(programs: Path) -> None:
    _put(programs, "docker", 1)
    _put(programs, "buildah", 0)
    assert find_tool(None) == "buildah"


def test_a_tool_that_is_wanted_and_does_not_work_is_named(programs: Path) -> None:
    _put(programs, "docker", 1)
    _put(programs, "buildah", 0)
    with pytest.raises(ImageError, match="docker is missing or does not work here"):
        find_tool("docker")


@pytest.mark.usefixtures("programs")
def test_without_any_tool_it_says_which_there_are() -> None:
    with pytest.raises(ImageError, match="none of docker, podman and buildah works here"):
        find_tool(None)


def test_a_tool_that_is_not_known_is_refused() -> None:
    with pytest.raises(ImageError, match="there is no tool kaniko; there are docker, podman, buildah"):
        find_tool("kaniko")


def test_an_argument_without_a_value_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["build", "--build-arg", "DEVICE"])
    assert "argument --build-arg: 'DEVICE' is not NAME=VALUE" in capsys.readouterr().err
