"""Which port a container listens on."""

import pytest

from avatar_workers.errors import WorkerFailure
from avatar_workers.http.server import port_from_environment


@pytest.mark.parametrize(("environment", "port"), [({}, 8080), ({"SAGEMAKER_BIND_TO_PORT": "9000"}, 9000)])
def test_the_port_is_sagemakers_or_8080(environment: dict[str, str], port: int) -> None:
    assert port_from_environment(environment) == port


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "²"])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(WorkerFailure, match="must be a port"):
        port_from_environment({"SAGEMAKER_BIND_TO_PORT": value})
