"""One instance: a process that serves one container, from start to end.

Life: Starting (model data unpacked, process started, pinged until it answers) -> InService (pinged every few seconds) ->
Ended, because it crashed, never became healthy, hung, or was stopped. An instance lives once; its fleet replaces it.

One thread per instance drives this life and sleeps on the process's exit between pings, so a crash is noticed at once and an
idle instance costs one ping every five seconds. In-flight requests are counted here: a retired instance finishes them.

Sources: container contract in the SageMaker guide, "Use Your Own Inference Code with Hosting Services": GET /ping answers 200
within 2 s; SIGTERM, then SIGKILL after 30 s.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.clock import Clock
from sagemaker_local.instances.archives import BadArchive
from sagemaker_local.instances.commands import ImageCommands, UnknownImage, fill_in
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerTimeout,
    ContainerUnreachable,
    call_container,
)
from sagemaker_local.instances.environment import container_environment
from sagemaker_local.instances.guardian import Guardian
from sagemaker_local.instances.logs import LogShipper, LogStream, pump_output
from sagemaker_local.instances.model_data import fetch_model_data
from sagemaker_local.s3_objects import S3Failure, S3Objects

logger = logging.getLogger(__name__)

PING_TIMEOUT_SECONDS = 2.0
STARTING_PING_INTERVAL_SECONDS = 0.1
SERVING_PING_INTERVAL_SECONDS = 5.0
# AWS does not say when it gives up on a container that stops answering pings. A minute spares one that is only busy.
UNHEALTHY_PINGS = 12
TERMINATION_GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class ContainerSpec:
    """What an instance runs, from the model of a production variant.

    Attributes:
        image: the image's name, which stands for a command.
        environment: CreateModel's container environment.
        model_data_url: `s3://` of the tar.gz (single model) or the prefix (multi-model), or None.
        multi_model: whether the container serves many models.
        model_cache: for multi-model: whether models stay loaded after an invocation.
        startup_timeout: AWS seconds until the first successful ping, at the latest.
    """

    image: str
    environment: Mapping[str, str]
    model_data_url: str | None
    multi_model: bool
    model_cache: bool
    startup_timeout: float


@dataclass(frozen=True)
class InstanceHost:
    """What every instance of a server shares."""

    clients: AwsClients
    clock: Clock
    guardian: Guardian
    images: ImageCommands
    shipper: LogShipper
    directory: Path


@dataclass(frozen=True)
class Placement:
    """Where an instance belongs."""

    scope: Scope
    endpoint: str
    variant: str


class State(enum.Enum):
    STARTING = "Starting"
    IN_SERVICE = "InService"
    ENDED = "Ended"


class Instance:
    """One container process and its life.

    Arguments:
        on_change: called, on the instance's thread and without locks, whenever the state has changed or room came free.
        delay: real seconds to wait before starting, when the instance replaces one that just crashed.
    """

    def __init__(
        self,
        host: InstanceHost,
        placement: Placement,
        spec: ContainerSpec,
        on_change: Callable[[Instance], None],
        delay: float = 0.0,
    ) -> None:
        self.id = f"i-{secrets.token_hex(8)}"
        self.spec = spec
        self.placement = placement
        self.state = State.STARTING
        self.retiring = False
        self.served_since: float | None = None
        self.end_reason = ""
        self.fatal = False
        self._host = host
        self._on_change = on_change
        self._delay = delay
        self._in_flight = 0
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._exited = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        scope = placement.scope
        self.directory = (
            host.directory
            / f"{scope.account}-{scope.region}"
            / placement.endpoint
            / placement.variant
            / self.id
        )
        self._thread = threading.Thread(target=self._live, name=f"instance-{self.id}", daemon=True)

    @property
    def model_dir(self) -> Path:
        """The stand-in for /opt/ml/model."""
        return self.directory / "model"

    @property
    def models_dir(self) -> Path:
        """The stand-in for /opt/ml/models of a multi-model container."""
        return self.directory / "models"

    @property
    def log_stream_arn(self) -> str:
        group, stream = _log_names(self)
        return self.placement.scope.arn("logs", f"log-group:{group}:log-stream:{stream}")

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._thread.start()

    def acquire(self, most: int | None = None) -> bool:
        """Take one place for a request, unless the instance is not serving, retiring, or has `most` already."""
        with self._lock:
            if (
                self.state is not State.IN_SERVICE
                or self.retiring
                or (most is not None and self._in_flight >= most)
            ):
                return False
            self._in_flight += 1
            return True

    def release(self) -> None:
        """Give the place back."""
        with self._lock:
            self._in_flight -= 1
            self._idle.notify_all()
        self._on_change(self)

    def call(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = 1 << 20,
    ) -> ContainerAnswer:
        """One request to the container; see `call_container`."""
        return call_container(
            self.port, method, path, timeout=timeout, headers=headers, body=body, limit=limit
        )

    def retire(self, drain_seconds: float) -> None:
        """Take no new requests, finish those in flight within the given real seconds, then stop. Blocks."""
        with self._idle:
            self.retiring = True
            self._idle.wait_for(
                lambda: self._in_flight == 0 or self.state is State.ENDED, timeout=drain_seconds
            )
        self.stop()

    def stop(self, grace: float | None = None) -> None:
        """SIGTERM, then SIGKILL when the grace is over. Blocks until the process is gone.

        Arguments:
            grace: real seconds; by default SageMaker's thirty.
        """
        with self._lock:
            self.retiring = True
            self._stop.set()
            process = self._process
        if process is not None and not self._exited.is_set():
            _signal_group(process.pid, signal.SIGTERM)
            if not self._exited.wait(
                self._host.clock.real(TERMINATION_GRACE_SECONDS) if grace is None else grace
            ):
                _signal_group(process.pid, signal.SIGKILL)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _live(self) -> None:
        try:
            if not self._stop.wait(self._delay):
                self._prepare()
                self._serve()
        except (UnknownImage, BadArchive, S3Failure) as error:
            self.fatal = True
            self.end_reason = str(error)
        except Exception as error:
            logger.exception("instance %s of endpoint %s failed", self.id, self.placement.endpoint)
            self.end_reason = f"sagemaker-local could not run the instance: {error}"
        finally:
            self._clear()
            with self._idle:
                self.state = State.ENDED
                self._idle.notify_all()
            self._on_change(self)

    def _prepare(self) -> None:
        for directory in (self.model_dir, self.models_dir, self.directory / "work", self.directory / "tmp"):
            directory.mkdir(parents=True, exist_ok=True)
        if self.spec.model_data_url is not None and not self.spec.multi_model:
            objects = S3Objects(self._host.clients, self.placement.scope)
            fetch_model_data(
                objects, self.spec.model_data_url, self.directory / "model.tar.gz", self.model_dir
            )

    def _serve(self) -> None:
        self.port = _free_port()
        argv = fill_in(self._host.images.command(self.spec.image), self.port, str(self.model_dir))
        environment = container_environment(
            os.environ,
            self.placement.scope,
            self._host.clients.endpoint_url,
            {
                "SAGEMAKER_BIND_TO_PORT": str(self.port),
                "SAGEMAKER_LOCAL_INSTANCE_ID": self.id,
                "SAGEMAKER_LOCAL_MODEL_DIR": str(self.model_dir),
                "TMPDIR": str(self.directory / "tmp"),
                **({"SAGEMAKER_MULTI_MODEL": "true"} if self.spec.multi_model else {}),
            },
            self.spec.environment,
        )
        with self._lock:
            if self._stop.is_set():
                return
            process = self._host.guardian.spawn(argv, environment, self.directory / "work")
            self._process = process
        assert process.stdout is not None
        group, stream = _log_names(self)
        pump = threading.Thread(
            target=pump_output,
            args=(
                process.stdout,
                self.directory / "container.log",
                LogStream(self.placement.scope, group, stream),
                self._host.shipper,
            ),
            name=f"log-{self.id}",
            daemon=True,
        )
        pump.start()
        threading.Thread(target=self._reap, args=(process,), name=f"reap-{self.id}", daemon=True).start()
        try:
            self._watch()
        finally:
            self.stop()
            self._exited.wait()
            pump.join(timeout=5)

    def _watch(self) -> None:
        deadline = time.monotonic() + self._host.clock.real(self.spec.startup_timeout)
        while not self._ping():
            if self._exited.wait(STARTING_PING_INTERVAL_SECONDS) or self._stop.is_set():
                self.end_reason = "the container's process ended before it answered a ping"
                return
            if time.monotonic() >= deadline:
                self.fatal = True
                self.end_reason = "the container did not answer a ping in time"
                return
        with self._lock:
            self.state = State.IN_SERVICE
            self.served_since = time.monotonic()
        self._on_change(self)
        failures = 0
        while not self._exited.wait(SERVING_PING_INTERVAL_SECONDS):
            failures = 0 if self._ping() else failures + 1
            if failures >= UNHEALTHY_PINGS:
                self.end_reason = "the container stopped answering pings"
                logger.warning(
                    "instance %s of endpoint %s hangs and is replaced", self.id, self.placement.endpoint
                )
                return
        self.end_reason = "the container's process ended"

    def _ping(self) -> bool:
        try:
            return self.call("GET", "/ping", timeout=PING_TIMEOUT_SECONDS).status == 200
        except (ContainerTimeout, ContainerUnreachable, ContainerAnswerTooLarge):
            return False

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        with self._lock:
            if self.state is State.IN_SERVICE:
                self.state = State.ENDED
        _signal_group(process.pid, signal.SIGKILL)
        self._host.guardian.release(process.pid)
        self._exited.set()

    def _clear(self) -> None:
        for directory in (self.model_dir, self.models_dir, self.directory / "work", self.directory / "tmp"):
            shutil.rmtree(directory, ignore_errors=True)


def _log_names(instance: Instance) -> tuple[str, str]:
    return (
        f"/aws/sagemaker/Endpoints/{instance.placement.endpoint}",
        f"{instance.placement.variant}/{instance.id}",
    )


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _free_port() -> int:
    """A port that is free now. Another process may take it first: the container then fails to start and is replaced."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
