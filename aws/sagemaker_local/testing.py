"""A SageMaker for tests: one `with`, and boto3 talks to it.

    with LocalAws(images={"trainer": [sys.executable, "trainer.py"]}) as aws:
        aws.client("s3").create_bucket(Bucket="photos")
        ...
        assert len(aws.calls(api="InvokeEndpointAsync", InferenceId="train-1")) == 1

The server is a process of its own: moto's state is global per process, so this is what keeps tests apart. It ends with the
block, and also when the test process is killed.
"""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
import httpx
from botocore.config import Config

# A busy machine has been seen to take a minute.
START_SECONDS = 180.0
REGION = "us-east-1"


class LocalAws:
    """A running `sagemaker-local`.

    Arguments:
        images: a command line (argument list, or one string) by image name.
        data_dir: keep instance directories and logs there.
        clock_speed: AWS seconds per real second.
        disk_budget: bytes of models that an instance of a multi-model endpoint keeps on its disk; None for the default.
        redeliveries: how often an asynchronous invocation is run again after its container died.
        allow_hosts: names of the server beside those of this machine.
        allow_origins: origins whose web pages may call it.
        pass_environment: variables of this process that containers inherit.
        host: the address that it listens on.
    """

    def __init__(
        self,
        images: Mapping[str, Sequence[str] | str] | None = None,
        data_dir: Path | None = None,
        clock_speed: float = 1.0,
        disk_budget: int | None = None,
        redeliveries: int = 0,
        allow_hosts: Sequence[str] = (),
        allow_origins: Sequence[str] = (),
        pass_environment: Sequence[str] = (),
        host: str = "127.0.0.1",
    ) -> None:
        self._images = dict(images or {})
        self._data_dir = data_dir
        self._clock_speed = clock_speed
        self._disk_budget = disk_budget
        self._redeliveries = redeliveries
        self._reached_by = [
            f"--host={host}",
            *(f"--allow-host={name}" for name in allow_hosts),
            *(f"--allow-origin={origin}" for origin in allow_origins),
            *(f"--pass-env={name}" for name in pass_environment),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint_url = ""

    def __enter__(self) -> LocalAws:
        argv = [sys.executable, "-m", "sagemaker_local.main", "--port", "0", "--exit-on-stdin-close"]
        argv += ["--clock-speed", str(self._clock_speed), "--redeliveries", str(self._redeliveries)]
        argv += self._reached_by
        for name, command in self._images.items():
            argv += ["--image", f"{name}={command if isinstance(command, str) else shlex.join(command)}"]
        if self._data_dir is not None:
            argv += ["--data-dir", str(self._data_dir)]
        if self._disk_budget is not None:
            argv += ["--disk-budget", str(self._disk_budget)]
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment_without_aws()
            )
            self.endpoint_url = _first_line(self._process)
            if not self.endpoint_url:
                self.stop()
                log.seek(0)
                raise RuntimeError(f"sagemaker-local did not start:\n{log.read().decode(errors='replace')}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make any AWS SDK or the AWS CLI use this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str, config: Config | None = None, region: str = REGION) -> Any:
        """A boto3 client for a service of this server."""
        session: Any = boto3.session.Session()
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # not a secret
            config=config,
        )

    def calls(self, **wanted: str) -> list[dict[str, Any]]:
        """The calls that reached the server, filtered by any field of `Call` or any parameter, all given as text."""
        return list(self._control("GET", "calls", params=wanted)["calls"])

    def forget_calls(self) -> None:
        self._control("DELETE", "calls")

    def add_fault(self, **fault: Any) -> None:
        """Order a fault; see `faults.py` for the fields."""
        self._control("POST", "faults", json=fault)

    def faults(self) -> list[dict[str, Any]]:
        """The faults that have not been used up."""
        return list(self._control("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        self._control("DELETE", "faults")

    def add_moderation_rule(self, api: str, match: dict[str, Any], answer: dict[str, Any]) -> None:
        """Say what a moderation API answers about what matches; see `moderation/rules.py`."""
        self._control("POST", "moderation", json={"api": api, "match": match, "answer": answer})

    def clear_moderation_rules(self) -> None:
        self._control("DELETE", "moderation")

    def set_clock_speed(self, speed: float) -> None:
        """AWS seconds per real second, for waits that begin from now on."""
        self._control("PUT", "clock", json={"speed": speed})

    def set_redeliveries(self, most: int) -> None:
        """How often an asynchronous invocation is run again after its container died; 0 lets it fail."""
        self._control("PUT", "redeliveries", json={"most": most})

    def instances(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """The instances in service: id, endpoint, variant, pid, port, directory."""
        instances = self._control("GET", "instances")["instances"]
        return [instance for instance in instances if endpoint in (None, instance["endpoint"])]

    def stop(self) -> None:
        """End the server and all its instances."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def kill(self) -> None:
        """End the server the hard way (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _control(self, method: str, name: str, **arguments: Any) -> Any:
        response = httpx.request(
            method, f"{self.endpoint_url}/_sagemaker_local/{name}", timeout=30, trust_env=False, **arguments
        )
        if response.status_code == 400:
            raise ValueError(response.json()["error"])
        response.raise_for_status()
        return response.json()


def environment_without_aws() -> dict[str, str]:
    """This process's environment without AWS settings, to start programs that must find none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """What the process prints first; empty when it ends or `START_SECONDS` pass before."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(START_SECONDS):
            return ""
    return process.stdout.readline().decode().strip()
