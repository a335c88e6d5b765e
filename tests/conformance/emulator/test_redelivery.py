"""What becomes of an asynchronous invocation whose container died while it ran is a knob: it fails, or it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local.testing import LocalAws


@pytest.fixture
def redeliveries(emulator: LocalAws) -> Iterator[LocalAws]:
    yield emulator
    emulator.set_redeliveries(0)


def test_an_invocation_is_run_again_after_its_container_died(
    redeliveries: LocalAws, user: Any, tmp_path: Path
) -> None:
    redeliveries.set_redeliveries(1)
    name = user.async_endpoint()
    answer = user.invoke_async(
        name, {"die_unless": str(tmp_path / "once"), "status": 200, "body": "second time"}
    )
    assert user.await_object(answer["OutputLocation"])["Body"] == b"second time"


def test_an_invocation_that_kills_every_container_fails_in_the_end(redeliveries: LocalAws, user: Any) -> None:
    redeliveries.set_redeliveries(1)
    name = user.async_endpoint()
    failure = user.await_object(user.invoke_async(name, {"die": True})["FailureLocation"])
    assert failure["Body"].startswith(b"Amazon SageMaker could not get a response")


def test_a_number_of_redeliveries_that_makes_no_sense_is_refused(emulator: LocalAws) -> None:
    with pytest.raises(ValueError, match="redeliveries must be a whole number from 0 to 100"):
        emulator.set_redeliveries(-1)
