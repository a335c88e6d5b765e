"""How the process is put together: what follows from the settings, and what asks whether this replica leads."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_operator import main
from avatar_operator.errors import StartUpError
from avatar_operator.kube.leadership import LeadershipLostError
from avatar_operator.settings import OperatorSettings


@pytest.fixture
async def made_with(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the AWS clients of a process are made with. Nothing is made after them."""
    seen: dict[str, Any] = {}

    def make(**arguments: Any) -> None:
        seen.update(arguments)
        raise StartUpError("that was all")

    monkeypatch.setattr(main, "AwsClients", make)
    settings = OperatorSettings(model_workers=5, request_workers=7, runtime_workers=3)
    with pytest.raises(StartUpError, match="that was all"):
        await main.run(settings)
    return seen


async def test_pools_of_threads_follow_the_workers_that_use_them(made_with: dict[str, Any]) -> None:
    assert (made_with["threads"], made_with["drawing_threads"]) == (5 + 3, 7)


async def test_no_call_to_aws_leaves_a_process_that_does_not_lead(made_with: dict[str, Any]) -> None:
    with pytest.raises(LeadershipLostError):
        made_with["before_send"]()
