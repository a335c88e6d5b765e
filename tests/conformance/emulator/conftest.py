"""A server for the tests that turn its knobs, apart from the one that the conformance tests share."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from sagemaker_local.testing import LocalAws


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
def emulator_clients(emulator: LocalAws, make_clients: Any) -> dict[str, Any]:
    clients: dict[str, Any] = make_clients(emulator)
    return clients


@pytest.fixture
def user(emulator: LocalAws, emulator_clients: dict[str, Any], make_user: Any) -> Iterator[Any]:
    """Somebody on that server; afterwards its knobs are back where they were."""
    user = make_user(emulator_clients)
    yield user
    emulator.clear_faults()
    emulator.set_clock_speed(1)
    user.leave()
