"""The container as SageMaker runs it: a process on a port, signalled and killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from avatar_api.documents.training import TrainingProgressMessage, TrainingRequest
from avatar_workers.base_model.directory_digest import directory_digest
from local_cluster.free_ports import free_port

RequestBuilder = Callable[..., TrainingRequest]
DEADLINE_SECONDS = 480
pytestmark = pytest.mark.timeout(1800)
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(port: int, base_directory: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the worker's process; whatever it did, it is gone after the test."""
    processes: list[subprocess.Popen[str]] = []

    def begin(**environment: str) -> subprocess.Popen[str]:
        settings = {
            "AVATAR_BASE_MODEL_SOURCE": str(base_directory),
            "AVATAR_BASE_MODEL_SHA256": directory_digest(base_directory),
            "AVATAR_BASE_MODEL_CACHE": str(tmp_path / "cache"),
            "AVATAR_TORCH_THREADS": "1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "avatar_workers.training"],
            env={**os.environ, **settings, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def until_ready(process: "subprocess.Popen[str]", port: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ping", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the worker never became ready")


def begin_endless_training(request: TrainingRequest, port: int, queue_url: str) -> Any:
    """Posts the request, and returns the open connection once the training is in its loop."""
    connection = socket.create_connection(("127.0.0.1", port))
    body = request.model_dump_json(by_alias=True, exclude_none=True).encode()
    connection.sendall(
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    sqs = boto3.client("sqs")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            told = TrainingProgressMessage.model_validate_json(message["Body"])
            if told.stage == "Training" and told.step > 0:
                return connection
    raise AssertionError("the training never began")


def test_sigterm_ends_a_running_training_and_the_process_cleanly(
    start: Start, port: int, training_request: RequestBuilder, queue_url: str, keys: Callable[[], list[str]]
) -> None:
    process = start()
    until_ready(process, port)
    with begin_endless_training(
        training_request(steps=20000, queue_url=queue_url), port, queue_url
    ) as connection:
        process.send_signal(signal.SIGTERM)
        connection.settimeout(DEADLINE_SECONDS)
        assert b" 503 " in connection.recv(65536).splitlines()[0]
    assert process.wait(DEADLINE_SECONDS) == 0
    assert not [key for key in keys() if key.startswith("artifacts/")]


def test_a_killed_worker_leaves_no_artifact_and_the_next_one_is_not_hindered(
    start: Start,
    port: int,
    training_request: RequestBuilder,
    queue_url: str,
    keys: Callable[[], list[str]],
    tmp_path: Path,
) -> None:
    process = start()
    until_ready(process, port)
    with begin_endless_training(training_request(steps=20000, queue_url=queue_url), port, queue_url):
        process.kill()
        process.wait(DEADLINE_SECONDS)
    assert [key for key in keys() if not key.startswith("photos/")] == ["requests/1/claim.json"]
    next_one = start()
    until_ready(next_one, port)
    answer = httpx.post(
        f"http://127.0.0.1:{port}/invocations",
        json=training_request(attempt=2).to_wire(),
        timeout=DEADLINE_SECONDS,
    )
    assert answer.status_code == 200
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AVATAR_BASE_MODEL_SHA256": "0" * 64}, "AVATAR_BASE_MODEL_SHA256 says"),
        ({"AVATAR_BASE_MODEL_SOURCE": ""}, "set the environment variable AVATAR_BASE_MODEL_SOURCE"),
    ],
)
def test_a_worker_that_cannot_work_says_why_and_ends(
    start: Start, environment: dict[str, str], named: str
) -> None:
    process = start(**environment)
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    assert named in said
    assert "Traceback" not in said
