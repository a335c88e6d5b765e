"""Containers that are dead before anybody has noticed.

The image here is a shell that outlives the server it started, until a file appears: the container refuses connections, and its
process does not end. On a busy machine every crash looks like that for a moment.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="module")
def lingering(container: list[str]) -> Iterator[LocalAws]:
    """A server whose image `trivial` lingers after its death, until the file named by `BURY` appears."""
    command = f'{shlex.join(container)}; while [ ! -e "$BURY" ]; do sleep 0.05; done'
    with LocalAws(images={"trivial": ["sh", "-c", command]}) as running:
        yield running


@pytest.fixture(scope="module")
def lingering_target(lingering: LocalAws, make_target: Any) -> Any:
    return make_target(lingering)


@pytest.fixture
def bury(tmp_path: Path) -> Iterator[Path]:
    """The file that lets dead containers end; there after the test in any case, or deleting their endpoint would take 30 s."""
    path = tmp_path / "bury"
    yield path
    path.touch()


@pytest.fixture
def user(lingering_target: Any, make_user: Any, bury: Path) -> Iterator[Any]:
    user = make_user(lingering_target)
    yield user
    bury.touch()
    user.leave()


def test_what_a_dead_container_could_not_receive_waits_for_its_replacement(user: Any, bury: Path) -> None:
    name = user.async_endpoint({"BURY": str(bury)})
    dying = user.invoke_async(name, {"die": True})
    following = [user.invoke_async(name, {"tell": "turn"}) for _ in range(3)]
    user.await_object(dying["FailureLocation"])
    assert [user.read(answer["FailureLocation"]) for answer in following] == [None] * 3
    bury.touch()
    numbers = [user.await_object(answer["OutputLocation"])["Body"] for answer in following]
    assert [b'"number": %d,' % turn in number for turn, number in enumerate(numbers, start=1)] == [True] * 3


def test_a_real_time_request_goes_to_another_instance(user: Any, bury: Path) -> None:
    name = user.realtime_endpoint({"BURY": str(bury)}, InitialInstanceCount=2)
    with pytest.raises(user.runtime.exceptions.ModelError):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"die": true}')
    for _ in range(8):
        assert user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read() == b"x"


def test_a_model_is_asked_of_another_instance(user: Any, bury: Path) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint({"BURY": str(bury)}, InitialInstanceCount=2)
    ask = {"EndpointName": name, "TargetModel": "a.tar.gz"}
    user.runtime.invoke_endpoint(**ask, Body=b"?")
    with pytest.raises(user.runtime.exceptions.ModelError):
        user.runtime.invoke_endpoint(**ask, Body=b'{"die": true}')
    assert b'"text": "a"' in user.runtime.invoke_endpoint(**ask, Body=b"?")["Body"].read()


def test_without_another_instance_the_service_is_unavailable(user: Any, bury: Path) -> None:
    name = user.realtime_endpoint({"BURY": str(bury)})
    with pytest.raises(user.runtime.exceptions.ModelError):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"die": true}')
    with pytest.raises(user.runtime.exceptions.ClientError, match="ServiceUnavailable"):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
