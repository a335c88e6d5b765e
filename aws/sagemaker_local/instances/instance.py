"""One instance: a process that serves one container, from start to end.

Life: Starting (model data unpacked, process started, pinged until it answers) -> InService (pinged every few seconds) ->
Ended, because it crashed, never became healthy, hung, or was stopped. An instance lives once; its fleet replaces it.

One thread per instance drives this life and sleeps between pings until the process exits or a connection to it breaks, so a
crash is noticed at once and an idle instance costs one ping every five seconds. In-flight requests are counted here: a retired
instance finishes them.

Sources: container contract in the SageMaker guide, "Use Your Own Inference Code with Hosting Services": GET /ping answers 200
within 2 s; SIGTERM, then SIGKILL after 30 s.
"""

from __future__ import annotations

import enum
import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sagemaker_local.instances.archives import BadArchive
from sagemaker_local.instances.commands import UnknownImage, fill_in
from sagemaker_local.instances.container_faults import ContainerFaults
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerTimeout,
    ContainerUnreachable,
    call_container,
)
from sagemaker_local.instances.container_log import ContainerLog
from sagemaker_local.instances.container_process import ContainerProcess
from sagemaker_local.instances.container_spec import ContainerSpec, Placement
from sagemaker_local.instances.environment import container_environment
from sagemaker_local.instances.health import PING_TIMEOUT_SECONDS, Health
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.instances.instance_directory import InstanceDirectory
from sagemaker_local.instances.model_data import fetch_model_data
from sagemaker_local.instances.model_listing import Judge, ModelListing
from sagemaker_local.instances.ports import taken
from sagemaker_local.s3_objects import S3Failure, S3Objects

logger = logging.getLogger(__name__)

STARTING_PING_INTERVAL_SECONDS = 0.1
TERMINATION_GRACE_SECONDS = 30.0


class State(enum.Enum):
    STARTING = "Starting"
    IN_SERVICE = "InService"
    ENDED = "Ended"


class Instance:
    """One container process and its life.

    Arguments:
        on_change: called, on the instance's thread and without locks, whenever the state has changed or room came free.
        delay: real seconds to wait before starting, when the instance replaces one that just crashed.

    Attributes:
        served_since: when it came into service, on the monotonic clock; None while it has not.
        answered: whether its container has answered a request, pings apart.
        end_reason: why it ended, as a sentence.
        fatal: whether a replacement would end the same way.
        port_taken: whether it could not start because another process was quicker to listen on its port.
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
        self.answered = False
        self.end_reason = ""
        self.fatal = False
        self.port_taken = False
        self._host = host
        self._on_change = on_change
        self._delay = delay
        self._in_flight = 0
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._health = Health(self._ping, lambda: self._on_change(self))
        self._directory = InstanceDirectory(host.directory, placement, self.id)
        self._log = ContainerLog(self._directory.log_file, placement, self.id, host.shipper)
        self._faults = ContainerFaults(host.faults, placement.endpoint, self.id, self._log.write)
        self._model_listing = ModelListing(
            lambda path, timeout: call_container(self.port, "GET", path, timeout=timeout), self._log.write
        )
        self._process: ContainerProcess | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._live, name=f"instance-{self.id}", daemon=True)

    @property
    def directory(self) -> Path:
        """Where everything is that it has on disk."""
        return self._directory.path

    @property
    def models_dir(self) -> Path:
        """The stand-in for /opt/ml/models of a multi-model container."""
        return self._directory.models

    @property
    def log_stream_arn(self) -> str:
        return self._log.stream_arn

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def suspect(self) -> bool:
        """Whether its container has refused or broken a connection and not answered a ping since."""
        return self._health.suspect

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._thread.start()

    def acquire(self, most: int | None = None) -> bool:
        """Take one place for a request, unless the instance is not serving, suspect, retiring, or has `most` already."""
        with self._lock:
            if (
                self.state is not State.IN_SERVICE
                or self._health.suspect
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
        """One request to the container; see `call_container`. Without a complete answer the instance becomes suspect."""
        assert self._process is not None
        received = self._faults.strike(path, self._process)
        try:
            answer = call_container(
                self.port,
                method,
                path,
                timeout=timeout,
                headers=headers,
                body=body,
                limit=limit,
                received=received,
            )
        except ContainerUnreachable:
            self._health.doubt()
            raise
        self.answered |= path != "/ping"
        return answer

    def watch_models(self, expect: Callable[[], Judge]) -> None:
        """Be told what a multi-model container lists, every few seconds; see `ModelListing`."""
        self._model_listing.expect = expect

    def resume(self) -> None:
        """Let a container go on that was stopped by a fault on demand."""
        if self._process is not None:
            self._process.send(signal.SIGCONT)

    def await_verdict(self, timeout: float) -> None:
        """Wait, for at most so many real seconds, until a suspect instance is trusted again or has ended."""
        self._health.await_verdict(timeout)

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
        if process is not None:
            process.stop(self._host.clock.real(TERMINATION_GRACE_SECONDS) if grace is None else grace)
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
            self._directory.clear()
            self._host.ports.release(self.port)
            with self._idle:
                self.state = State.ENDED
                self._idle.notify_all()
            self._on_change(self)

    def _prepare(self) -> None:
        self._directory.make()
        if self.spec.model_data_url is not None and not self.spec.multi_model:
            objects = S3Objects(self._host.clients, self.placement.scope)
            fetch_model_data(
                objects, self.spec.model_data_url, self.directory / "model.tar.gz", self._directory.model
            )

    def _serve(self) -> None:
        self.port = self._host.ports.reserve()
        argv = fill_in(self._host.images.command(self.spec.image), self.port, str(self._directory.model))
        environment = container_environment(
            self._host.inherited,
            self.placement.scope,
            self._host.clients.secret(self.placement.scope),
            self._host.clients.endpoint_url,
            {
                "SAGEMAKER_BIND_TO_PORT": str(self.port),
                "SAGEMAKER_LOCAL_INSTANCE_ID": self.id,
                "SAGEMAKER_LOCAL_MODEL_DIR": str(self._directory.model),
                "TMPDIR": str(self._directory.temporary),
                **({"SAGEMAKER_MULTI_MODEL": "true"} if self.spec.multi_model else {}),
            },
            self.spec.environment,
        )
        with self._lock:
            if self._stop.is_set():
                return
            spawned = self._host.guardian.spawn(argv, environment, self._directory.work)
            self._process = process = ContainerProcess(spawned, self._host.guardian, self._process_ended)
        pump = threading.Thread(
            target=self._log.take, args=(process.output,), name=f"log-{self.id}", daemon=True
        )
        pump.start()
        try:
            self._watch(process)
        finally:
            self.stop()
            process.wait()
            pump.join(timeout=5)

    def _watch(self, process: ContainerProcess) -> None:
        deadline = time.monotonic() + self._host.clock.real(self.spec.startup_timeout)
        while not self._ping():
            if process.wait(STARTING_PING_INTERVAL_SECONDS) or self._stop.is_set():
                self.end_reason = "the container's process ended before it answered a ping"
                self.port_taken = process.wait(0) and taken(self.port)
                return
            if time.monotonic() >= deadline:
                self.fatal = True
                self.end_reason = "the container did not answer a ping in time"
                return
        with self._lock:
            if self._health.trust():
                self.state = State.IN_SERVICE
                self.served_since = time.monotonic()
        self._on_change(self)
        if self._health.watch():
            process.wait()
            self.end_reason = f"the container's process ended with exit code {process.exit_code}"
        else:
            self.end_reason = "the container stopped answering pings"
            logger.warning(
                "instance %s of endpoint %s hangs and is replaced", self.id, self.placement.endpoint
            )

    def _ping(self) -> bool:
        try:
            healthy = self.call("GET", "/ping", timeout=PING_TIMEOUT_SECONDS).status == 200
        except (ContainerTimeout, ContainerUnreachable, ContainerAnswerTooLarge):
            return False
        if healthy and self.spec.multi_model and self.state is State.IN_SERVICE and not self.suspect:
            self._model_listing.ask()
        return healthy

    def _process_ended(self) -> None:
        self._health.end()
        with self._lock:
            if self.state is State.IN_SERVICE:
                self.state = State.ENDED
