"""What listens, listens where it is told to, and by itself to this machine alone.

Whoever listens on all addresses of a machine is reached by every address of the loop-back net; whoever listens on 127.0.0.1 is
reached by none of its neighbours.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from sagemaker_local.testing import LocalAws

DEADLINE_SECONDS = 120.0
OWN, NEIGHBOUR = "127.0.0.1", "127.0.0.2"
StartWorker = Callable[..., int]


def can_connect(address: str, port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((address, port)) == 0


@pytest.fixture
def silent_s3() -> Iterator[str]:
    """An S3 that never answers, so that a worker waits for its base model for as long as we look at it."""
    with socket.create_server((OWN, 0)) as listener:
        yield f"http://{OWN}:{listener.getsockname()[1]}"


@pytest.fixture
def start_worker(silent_s3: str) -> Iterator[StartWorker]:
    """Starts a worker, waits until it listens on an address, and gives its port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*, listens_on: str, **environment: str) -> int:
        with socket.create_server(("", 0)) as free:
            port: int = free.getsockname()[1]
        settings = {
            "AVATAR_BASE_MODEL_SOURCE": "s3://avatars/base/",
            "AVATAR_BASE_MODEL_SHA256": "ab" * 32,
            "AWS_ENDPOINT_URL": silent_s3,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
        }
        command = [sys.executable, "-m", "avatar_workers.training"]
        process = subprocess.Popen(command, env={**os.environ, **settings, **environment})
        started.append(process)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not can_connect(listens_on, port):
            assert process.poll() is None, "the worker has ended"
            assert time.monotonic() < deadline, "the worker does not listen"
            time.sleep(0.1)
        return port

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_worker_that_nobody_told_anything_listens_to_this_machine_alone(start_worker: StartWorker) -> None:
    port = start_worker(listens_on=OWN)
    assert not can_connect(NEIGHBOUR, port)


def test_a_worker_listens_where_its_image_says(start_worker: StartWorker) -> None:
    port = start_worker(listens_on=NEIGHBOUR, AVATAR_BIND_ADDRESS="0.0.0.0")  # noqa: S104
    assert can_connect(OWN, port)


def test_the_local_aws_listens_to_this_machine_alone() -> None:
    with LocalAws() as aws:
        port = urlsplit(aws.endpoint_url).port
        assert port is not None
        assert can_connect(OWN, port)
        assert not can_connect(NEIGHBOUR, port)
