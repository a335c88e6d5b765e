"""Starting in parallel: who fails says why, and the other gives up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from avatar_demo.background_service import BackgroundService
from avatar_demo.environment import (
    EnvironmentStart,
    GivenUp,
    locked,
    operator_service,
    running_parts,
    sagemaker_local_service,
    stop_environment,
)
from avatar_demo.errors import DemoError
from avatar_demo.settings import DemoSettings

SECONDS = 20.0


@pytest.fixture
def settings(tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> DemoSettings:
    return DemoSettings(tmp_path, unused_tcp_port_factory(), unused_tcp_port_factory())


class OnePartFails(EnvironmentStart):
    """AWS does not come up while the control plane is on its way."""

    carried_on = False

    def _start_aws(self, url: str) -> Any:
        raise DemoError("the disk is full")

    def _start_control_plane(self, aws_url: str, *, fresh: bool) -> Any:
        assert self._given_up.wait(SECONDS)
        self._check_wanted()
        self.carried_on = True


def test_the_part_that_failed_says_why_and_the_other_does_not_carry_on(settings: DemoSettings) -> None:
    with ExitStack() as started:
        start = OnePartFails(settings, "demo", started, lambda _line: None)
        with pytest.raises(DemoError, match="the disk is full") as caught:
            start.run()
    assert not isinstance(caught.value, GivenUp)
    assert not start.carried_on


def test_another_port_than_that_of_the_aws_that_runs_is_refused(
    settings: DemoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BackgroundService, "ready_port", lambda _service: 1)
    with ExitStack() as started, pytest.raises(DemoError, match="runs on port 1 already; `make down` first"):
        EnvironmentStart(settings, "demo", started, lambda _line: None).run()


def test_stopping_what_never_ran_stops_nothing(settings: DemoSettings) -> None:
    settings.environment.mkdir()
    assert stop_environment(settings) == []
    assert set(running_parts(settings).values()) == {"stopped"}


def test_the_services_do_not_share_files(settings: DemoSettings) -> None:
    assert sagemaker_local_service(settings).log != operator_service(settings).log


def test_nobody_else_looks_into_what_the_demo_keeps(tmp_path: Path) -> None:
    """Photos, pictures and credentials, also where an earlier version has let others in."""
    settings = DemoSettings(tmp_path / "demo")
    settings.environment.mkdir(parents=True)
    with locked(settings):
        modes = [directory.stat().st_mode & 0o777 for directory in (settings.state, settings.environment)]
    assert modes == [0o700, 0o700]
