"""The container for editors has what `make setup`, `make chart` and `make demo` need."""

from __future__ import annotations

import json
import re

from avatar_demo.settings import DEFAULT_AWS_PORT, DEFAULT_OPERATOR_PORT
from documents.pages import REPOSITORY

FOLDER = REPOSITORY / ".devcontainer"


def test_its_go_builds_every_program_without_another_toolchain() -> None:
    given = re.search(r"--from=golang:(\d+)\.(\d+)", (FOLDER / "Dockerfile").read_text())
    wanted = [
        re.findall(r"^go (\d+)\.(\d+)", go_mod.read_text(), re.MULTILINE)[0]
        for go_mod in (REPOSITORY / "dev" / "local_cluster").rglob("go.mod")
    ]

    assert given is not None
    assert tuple(map(int, given.groups())) >= max((int(major), int(minor)) for major, minor in wanted)


def test_it_forwards_the_ports_of_the_demo() -> None:
    settings = json.loads((FOLDER / "devcontainer.json").read_text())

    assert settings["forwardPorts"] == [DEFAULT_AWS_PORT, DEFAULT_OPERATOR_PORT]
