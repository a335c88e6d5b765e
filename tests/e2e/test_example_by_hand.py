"""Promise: the way by hand in examples/01-first-avatar works as written.

Its commands are taken from the page and typed into a plain shell, with the settings that `source .demo/env.sh` gives, beside a cluster,
an AWS and an operator as `make demo` starts them. The AWS CLI is the first version, which is the one that is particular.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from avatar_demo.environment import Environment, EnvironmentStart, stop_environment
from avatar_demo.report import object_counts, write_shell_settings
from avatar_demo.settings import EXAMPLE, PROJECT, DemoSettings
from indispensable import needed_program
from local_cluster.free_ports import free_port

PAGE = EXAMPLE / "README.md"
COMMAND = re.compile(r"^ {7}(\S.*)$", re.MULTILINE)


def typed_commands() -> list[str]:
    """What the page has one type, in its order."""
    by_hand = PAGE.read_text().split("## By hand")[1].split("## What to try")[0]
    return COMMAND.findall(by_hand)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[DemoSettings]:
    settings = DemoSettings(tmp_path / "demo", free_port(), free_port())
    settings.environment.mkdir(parents=True)
    yield settings
    stop_environment(settings)


@pytest.fixture
def environment(settings: DemoSettings, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with ExitStack() as started:
        environment = EnvironmentStart(settings, "demo", started, print).run()
        started.pop_all()
    write_shell_settings(settings, environment)
    return environment


@pytest.fixture
def envsubst() -> Path:
    return needed_program("envsubst", "gettext-base")


def test_the_way_by_hand_works_as_written(
    settings: DemoSettings, environment: Environment, envsubst: Path, tmp_path: Path
) -> None:
    path = f"{os.environ['PATH']}:{envsubst.parent}"
    for name in ("examples", "dev"):
        (tmp_path / name).symlink_to(PROJECT / name)
    lines = [f". {settings.shell_settings}", *typed_commands()]
    shell = subprocess.run(
        ["sh", "-e"],
        input="\n".join(lines),
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert shell.returncode == 0, shell.stderr
    assert len(re.findall(r"^s3://avatars/outputs/demo/\S+\.png$", shell.stdout, re.MULTILINE)) == 10
    assert "dev.avatars.model.ready.v1alpha1" in shell.stdout
    assert "dev.avatars.request.succeeded.v1alpha1" in shell.stdout
    left = object_counts(environment.aws)
    assert {prefix for prefix, count in left.items() if count} == {"base/", "photos/"}
