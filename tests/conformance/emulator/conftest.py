"""A server for the tests that turn its knobs, apart from the one that the conformance tests share."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.target import AWS_FILE_VARIABLE, Target
from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="session", autouse=True)
def _never_against_aws() -> None:
    if os.environ.get(AWS_FILE_VARIABLE):
        pytest.skip(f"{AWS_FILE_VARIABLE} is set, and these tests use knobs that AWS does not have")


@pytest.fixture(scope="session")
def emulator(container: list[str]) -> Iterator[LocalAws]:
    """A running server whose clock, faults and instances may be tampered with."""
    serve = shlex.join(container)
    images = {
        "trivial": container,
        "parent": ["sh", "-c", f'sleep 1000 & echo $! > "$CHILD_PID_FILE"; exec {serve}'],
        "port-as-argument": [
            "env",
            "-u",
            "SAGEMAKER_BIND_TO_PORT",
            "sh",
            "-c",
            f"SAGEMAKER_BIND_TO_PORT=$0 exec {serve}",
            "{port}",
        ],
    }
    with LocalAws(images=images) as running:
        yield running


@pytest.fixture(scope="session")
def emulator_target(emulator: LocalAws, make_target: Any) -> Target:
    """Clients of that server; making them takes longer than most tests."""
    target: Target = make_target(emulator)
    return target


@pytest.fixture
def user(emulator: LocalAws, emulator_target: Target, make_user: Any) -> Iterator[Any]:
    """Somebody on that server; afterwards its knobs are back where they were."""
    user = make_user(emulator_target)
    yield user
    emulator.clear_faults()
    emulator.set_clock_speed(1)
    user.leave()
