"""Where a container listens."""

import pytest

from avatar_workers.errors import WorkerFailure
from avatar_workers.http.server import ListeningPlace


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({}, ("127.0.0.1", 8080)),
        ({"SAGEMAKER_BIND_TO_PORT": "9000"}, ("127.0.0.1", 9000)),
        ({"AVATAR_BIND_ADDRESS": "10.0.0.7"}, ("10.0.0.7", 8080)),
        ({"AVATAR_BIND_ADDRESS": "::", "SAGEMAKER_BIND_TO_PORT": "9000"}, ("::", 9000)),
        ({"AVATAR_BIND_ADDRESS": "", "SAGEMAKER_BIND_TO_PORT": ""}, ("127.0.0.1", 8080)),
    ],
)
def test_a_worker_listens_where_it_is_told_and_by_itself_to_this_machine_alone(
    environment: dict[str, str], place: tuple[str, int]
) -> None:
    assert ListeningPlace.from_environment(environment) == ListeningPlace(*place)


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "²"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(WorkerFailure, match="SAGEMAKER_BIND_TO_PORT must be a port"):
        ListeningPlace.from_environment({"SAGEMAKER_BIND_TO_PORT": value})


@pytest.mark.parametrize("value", ["localhost", "all", "10.0.0", "127.0.0.1:80"])
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(WorkerFailure, match="AVATAR_BIND_ADDRESS must be an IP address"):
        ListeningPlace.from_environment({"AVATAR_BIND_ADDRESS": value})
