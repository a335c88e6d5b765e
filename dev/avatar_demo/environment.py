"""What runs: cluster, AWS, operator. Started in parallel where they can be, found again by the next command, stopped.

A start that fails stops what it started, and nothing else: what ran before it is left as it was. The operator is always
started anew; it holds nothing that matters, and so it is always the code that lies in the tree.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_demo.aws_account import AccountResources, AwsAccount, isolated_environment, set_up_account
from avatar_demo.background_service import BackgroundService, Say
from avatar_demo.errors import DemoError
from avatar_demo.operator_rights import install_kinds_and_rights
from avatar_demo.settings import (
    BASE_MODEL,
    CRDS,
    DEFAULT_AWS_PORT,
    DEFAULT_OPERATOR_PORT,
    RIGHTS,
    DemoSettings,
)
from local_cluster.cluster import LocalCluster
from local_cluster.cluster_state import ClusterStatus, StateDirectory

IMAGES = {
    "avatar-training": [sys.executable, "-m", "avatar_workers.training"],
    "avatar-serving": [sys.executable, "-m", "avatar_workers.serving"],
}
"""What runs for the container images that the example names."""

MAX_TORCH_THREADS = 4
STOPPED = "stopped"
"""What `running_parts` says of a part that does not run."""


@dataclass(frozen=True)
class Environment:
    """An environment that runs."""

    cluster: LocalCluster
    aws: AwsAccount
    aws_url: str
    operator_url: str
    resources: AccountResources
    aws_service: BackgroundService
    operator_service: BackgroundService


def sagemaker_local_service(settings: DemoSettings) -> BackgroundService:
    """AWS."""
    return BackgroundService(
        "sagemaker-local", settings.environment, "/_sagemaker_local/health", port_option="AWS_PORT"
    )


def operator_service(settings: DemoSettings) -> BackgroundService:
    """The operator."""
    return BackgroundService("avatar-operator", settings.environment, "/readyz", port_option="OPERATOR_PORT")


@contextmanager
def locked(settings: DemoSettings) -> Iterator[None]:
    """Hold the environment's lock, so that one command at a time starts or stops things.

    Raises:
        DemoError: another command holds it.
    """
    for directory in (settings.state, settings.environment):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    with (settings.environment / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"another command is starting or stopping the demo in {settings.state}; try again when it is done"
            ) from None
        yield


class GivenUp(DemoError):
    """A start that was not carried on with, because it had become useless."""


class EnvironmentStart:
    """One attempt to have everything running.

    Args:
        settings: where.
        namespace: the user's namespace, for the application queue's filter.
        started: receives, for everything that this attempt starts, how to stop it.
        say: takes progress lines.
    """

    def __init__(self, settings: DemoSettings, namespace: str, started: ExitStack, say: Say) -> None:
        self._settings = settings
        self._namespace = namespace
        self._started = started
        self._say = say
        self._given_up = threading.Event()

    def run(self) -> Environment:
        """Start what does not run.

        Raises:
            DemoError, LocalClusterError, OSError, botocore's errors: a part did not come up.
        """
        running_aws_port = sagemaker_local_service(self._settings).ready_port()
        if None not in (running_aws_port, self._settings.aws_port) and running_aws_port != self._aws_port():
            raise DemoError(
                f"sagemaker-local runs on port {running_aws_port} already; `make down` first to change its port"
            )
        self._check_ports()
        aws_url = f"http://127.0.0.1:{running_aws_port or self._aws_port()}"
        with ThreadPoolExecutor(2) as pool:
            aws = pool.submit(self._start_aws, aws_url)
            # S3 starts empty with its server: objects that speak of what was in it would be lies.
            control_plane = pool.submit(self._start_control_plane, aws_url, fresh=running_aws_port is None)
            parts: list[Future[Any]] = [aws, control_plane]
            try:
                # An interrupt has to find us here: it would break off the pool's own waiting.
                wait(parts, return_when=FIRST_EXCEPTION)
            finally:
                if not all(part.done() for part in parts):
                    self._given_up.set()
        failures = [failure for part in parts if (failure := part.exception()) is not None]
        if failures:
            raise min(failures, key=lambda failure: isinstance(failure, GivenUp))
        account, resources = aws.result()
        cluster, operator_url = control_plane.result()
        return Environment(
            cluster=cluster,
            aws=account,
            aws_url=aws_url,
            operator_url=operator_url,
            resources=resources,
            aws_service=sagemaker_local_service(self._settings),
            operator_service=operator_service(self._settings),
        )

    def restart_operator(self) -> str:
        """Stop the operator, if it runs, and start it again beside the cluster and the AWS that are there.

        Returns:
            Its URL.

        Raises:
            DemoError, LocalClusterError, OSError: there is nothing that it could work with, or it did not come up.
        """
        aws_port = sagemaker_local_service(self._settings).ready_port()
        if aws_port is None or running_parts(self._settings)["kube-apiserver"] == STOPPED:
            raise DemoError(
                "the operator has nothing to work with: start the demo's environment with `make demo`"
            )
        _, operator_url = self._start_control_plane(f"http://127.0.0.1:{aws_port}", fresh=False)
        return operator_url

    def _check_wanted(self) -> None:
        if self._given_up.is_set():
            raise GivenUp("another part did not start")

    def _check_ports(self) -> None:
        """Find a port in use before anything is started."""
        for service, port in (
            (sagemaker_local_service(self._settings), self._aws_port()),
            (operator_service(self._settings), self._operator_port()),
        ):
            if service.port() is None:
                service.require_free(port)

    def _aws_port(self) -> int:
        return self._settings.aws_port or DEFAULT_AWS_PORT

    def _operator_port(self) -> int:
        last_port = operator_service(self._settings).last_port()
        return self._settings.operator_port or last_port or DEFAULT_OPERATOR_PORT

    def _start_control_plane(self, aws_url: str, *, fresh: bool) -> tuple[LocalCluster, str]:
        cluster = LocalCluster(self._settings.cluster, detached=True, report=self._say)
        if cluster.start(fresh=fresh):
            self._started.callback(cluster.stop)
            self._say("etcd and kube-apiserver are ready")
        else:
            self._say("etcd and kube-apiserver run already")
        self._check_wanted()
        kubeconfig = install_kinds_and_rights(cluster, CRDS, RIGHTS)
        cluster.apply_manifest(f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {self._namespace}\n")
        self._say("the avatars.dev kinds and the operator's rights are installed")
        self._check_wanted()
        return cluster, self._start_operator(kubeconfig, aws_url)

    def _start_aws(self, url: str) -> tuple[AwsAccount, AccountResources]:
        service = sagemaker_local_service(self._settings)
        port = service.ready_port()
        if port is None:
            if service.stop():
                self._say("stopped a sagemaker-local that did not answer")
            port = self._aws_port()
            self._started.callback(service.stop)
            environment = isolated_environment(url) | self._worker_environment()
            service.start(self._aws_command(port), environment, port)
            self._say(f"sagemaker-local is ready on port {port}: S3, SNS, SQS and SageMaker")
        else:
            self._say(f"sagemaker-local runs already on port {port}")
        self._check_wanted()
        account = AwsAccount(url)
        resources = set_up_account(account, BASE_MODEL, self._namespace)
        self._say(f"bucket, topics and queues are there; base model {resources.base_sha256[:12]} is uploaded")
        return account, resources

    def _aws_command(self, port: int) -> list[str]:
        images = [f"--image={name}={shlex.join(command)}" for name, command in IMAGES.items()]
        data = self._settings.environment / "instances"
        shutil.rmtree(data, ignore_errors=True)
        passed = [f"--pass-env={name}" for name in self._worker_environment()]
        return [_script("sagemaker-local"), f"--port={port}", f"--data-dir={data}", *passed, *images]

    def _worker_environment(self) -> dict[str, str]:
        return {
            "AVATAR_BASE_MODEL_CACHE": str(self._settings.environment / "base-models"),
            "AVATAR_TORCH_THREADS": str(torch_threads()),
        }

    def _start_operator(self, kubeconfig: Path, aws_url: str) -> str:
        service = operator_service(self._settings)
        port = self._operator_port()
        service.stop()
        self._started.callback(service.stop)
        environment = isolated_environment(aws_url) | {
            "KUBECONFIG": str(kubeconfig),
            "AVATAR_OPERATOR_HTTP_HOST": "127.0.0.1",
            "AVATAR_OPERATOR_HTTP_PORT": str(port),
        }
        service.start([_script("avatar-operator")], environment, port)
        self._say("the operator is ready, logged in as its own service account")
        return f"http://127.0.0.1:{port}"


def torch_threads() -> int:
    """How many threads a worker computes with.

    The tiny base gains little from them (a step takes 0.27 s on one and 0.23 s on two), and those that wait for each other take the
    cores from everything else here.
    """
    return min(max((os.cpu_count() or 1) // 2, 1), MAX_TORCH_THREADS)


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def stop_environment(settings: DemoSettings) -> list[str]:
    """Stop everything.

    Returns:
        The names of what ran.

    Raises:
        DemoError, LocalClusterError: something cannot be stopped.
    """
    stopped = [
        service.name
        for service in (operator_service(settings), sagemaker_local_service(settings))
        if service.stop()
    ]
    state = StateDirectory(settings.cluster)
    if state.root.is_dir():
        with state.locked():
            if state.stop_processes():
                stopped += ["kube-apiserver", "etcd"]
    settings.shell_settings.unlink(missing_ok=True)
    return stopped


def running_parts(settings: DemoSettings) -> dict[str, str]:
    """What runs, by name, and where."""
    record = StateDirectory(settings.cluster).read_record()
    parts = dict.fromkeys(("kube-apiserver", "sagemaker-local", "avatar-operator"), STOPPED)
    if record.status is ClusterStatus.RUNNING:
        parts["kube-apiserver"] = f"https://127.0.0.1:{record.api_server_port}"
    for service in (sagemaker_local_service(settings), operator_service(settings)):
        if (port := service.port()) is not None:
            parts[service.name] = f"http://127.0.0.1:{port}"
    return parts
