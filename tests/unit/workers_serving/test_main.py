"""The container as a process: it starts, works over real HTTP, ends on SIGTERM, and says why if it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from avatar_workers.serving import main

COMMAND = [sys.executable, "-m", "avatar_workers.serving"]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(moto_server: str, base_sha256: str, free_port: int, tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "AWS_ENDPOINT_URL": moto_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AVATAR_BASE_MODEL_SOURCE": "s3://pictures/base/",
        "AVATAR_BASE_MODEL_SHA256": base_sha256,
        "AVATAR_BASE_MODEL_CACHE": str(tmp_path / "cache"),
        "AVATAR_TORCH_THREADS": "1",
        "SAGEMAKER_BIND_TO_PORT": str(free_port),
    }


@contextmanager
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def wait_until_ready(url: str, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while running.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/ping").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the container did not become ready (exit status {running.poll()})")


def test_the_container_downloads_its_base_serves_a_personal_model_and_ends_on_sigterm(
    environment: dict[str, str],
    free_port: int,
    s3: Any,
    base_directory: Path,
    write_artifact: Any,
    request_document: Any,
) -> None:
    for file in (path for path in base_directory.rglob("*") if path.is_file()):
        s3.upload_file(str(file), "pictures", f"base/{file.relative_to(base_directory).as_posix()}")
    url = f"http://127.0.0.1:{free_port}"
    directory = write_artifact("uid-1")
    document = request_document(2, outputPrefix="s3://pictures/out/")

    with process(environment) as running:
        wait_until_ready(url, running)
        load = httpx.post(f"{url}/models", json={"model_name": "hash1", "url": str(directory)}, timeout=60)
        drawn = httpx.post(f"{url}/models/hash1/invoke", json=document, timeout=60)
        running.send_signal(signal.SIGTERM)
        _, log = running.communicate(timeout=60)

    assert (load.status_code, drawn.status_code) == (200, 200)
    assert s3.list_objects_v2(Bucket="pictures", Prefix="out/")["KeyCount"] == 2
    assert running.returncode == 0
    assert "Traceback" not in log
    assert "sks person" not in log


@pytest.fixture
def run_main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], int]]:
    """Run the container's main in this process; signal handlers and logging stay as they were."""
    endings = (signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(ending) for ending in endings]
    monkeypatch.setattr(main, "configure_logging", lambda: None)

    def run(environment: dict[str, str]) -> int:
        for name, setting in environment.items():
            monkeypatch.setenv(name, setting)
        return main.main()

    yield run
    for ending, handler in zip(endings, handlers, strict=True):
        signal.signal(ending, handler)


def test_a_container_whose_base_has_another_digest_says_so_and_ends_with_1(
    run_main: Callable[[dict[str, str]], int],
    environment: dict[str, str],
    base_directory: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = {"AVATAR_BASE_MODEL_SOURCE": str(base_directory), "AVATAR_BASE_MODEL_SHA256": "0" * 64}

    assert run_main(environment | wrong) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("avatar serving worker: base model")
    assert "has the digest" in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AVATAR_BASE_MODEL_SOURCE", ""),
        ("AVATAR_BASE_MODEL_SHA256", "abc"),
        ("AVATAR_ADAPTER_BUDGET_BYTES", "-1"),
        ("AVATAR_MAX_ADAPTERS", "many"),
        ("SAGEMAKER_BIND_TO_PORT", "99999"),
        ("AVATAR_BIND_ADDRESS", "everywhere"),
    ],
)
def test_a_malformed_variable_is_named_in_one_line(
    run_main: Callable[[dict[str, str]], int],
    environment: dict[str, str],
    variable: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_main(environment | {variable: value}) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert variable in line
