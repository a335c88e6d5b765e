"""The process: settings, credentials, backends, and one line on standard error if it cannot start."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from pydantic import ValidationError

from avatar_operator.announcements.announcer import Announcer
from avatar_operator.announcements.sns import SnsAnnouncer
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.metered import BackendMetrics, TokensAvailable, metered
from avatar_operator.backends.s3 import S3Storage
from avatar_operator.backends.sagemaker import SageMakerCompute
from avatar_operator.backends.selection import Backend, Backends
from avatar_operator.backends.simulated import simulated_backend
from avatar_operator.command_line import read_command_line
from avatar_operator.core.clock import SystemClock
from avatar_operator.errors import StartUpError
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.kube.client import KubeClient
from avatar_operator.kube.connection import connect
from avatar_operator.kube.kubernetes_client import KubernetesClient
from avatar_operator.kube.leadership import Leadership
from avatar_operator.operator import Operator
from avatar_operator.settings import OperatorSettings
from avatar_operator.telemetry.logs import configure_logs
from avatar_operator.telemetry.metrics import OperatorMetrics

SPARE_CONNECTIONS = 8
"""To the API server, beside one for each worker: the Lease, the sweeper, and what is told."""


@dataclass(frozen=True)
class Ports:
    """Everything through which the operator has an effect on the world."""

    client: KubeClient
    backends: Backends
    announcer: Announcer


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the operator; the exit code is 0 after a signal and 1 if it could not start or go on.

    Args:
        arguments: of the command line; those of this process by default.
    """
    read_command_line(arguments)
    try:
        settings = OperatorSettings()
    except ValidationError as error:
        problems = "; ".join(f"{_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        sys.exit(f"avatar-operator: {problems}")
    configure_logs(settings)
    code = 0
    try:
        asyncio.run(run(settings))
    except StartUpError as error:
        print(f"avatar-operator: {error}", file=sys.stderr)
        code = 1
    # The interpreter would wait for threads in AWS calls, for a minute if need be; every call may end anywhere.
    sys.stderr.flush()
    os._exit(code)


async def run(
    settings: OperatorSettings, *, decorate: Callable[[Ports], Ports] = lambda ports: ports
) -> None:
    """Make everything and run it until a signal comes.

    Args:
        settings: what was set from outside.
        decorate: wraps the ports; whoever wants to count, delay or interrupt effects stands here.

    Raises:
        StartUpError: it cannot start or go on; the message is one line for a person.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    clock = SystemClock()
    metrics = OperatorMetrics(registry)
    backend_metrics = BackendMetrics(registry)
    leadership = Leadership(settings.lease_seconds)
    clients = AwsClients(
        threads=settings.model_workers + settings.runtime_workers,
        drawing_threads=settings.request_workers,
        before_send=leadership.check,
    )
    sagemaker = Backend(S3Storage(clients, clock), SageMakerCompute(clients, IngestMetrics(registry)))
    registry.register(TokensAvailable(clients.throttles.available))

    api_client = await connect(connections=settings.workers + SPARE_CONNECTIONS)
    async with aclosing(KubernetesClient(api_client, count_request=metrics.kube_request)) as client:
        ports = decorate(
            Ports(
                client=client,
                backends=Backends(
                    {
                        "sagemaker": metered(sagemaker, "sagemaker", backend_metrics),
                        "simulated": metered(simulated_backend(clock), "simulated", backend_metrics),
                    }
                ),
                announcer=SnsAnnouncer(clients),
            )
        )
        try:
            await Operator(
                settings, ports.client, ports.backends, ports.announcer, clock, metrics, leadership
            ).run()
        finally:
            clients.close()


def _variable(location: tuple[int | str, ...]) -> str:
    return "_".join(("AVATAR_OPERATOR", *(str(part).upper() for part in location)))
