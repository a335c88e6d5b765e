"""Run a container's app: where it is told to, until SIGTERM, and then to a clean end.

A worker does what it is asked without asking who asks: that is the platform's business. So it listens to this machine alone
unless it is told otherwise. An image tells it (`ENV AVATAR_BIND_ADDRESS=0.0.0.0`), because a container's addresses are reached
through the platform only; a laptop's are reached by everybody in the same network.

SageMaker sends SIGTERM and kills after 30 s. uvicorn would first wait for requests in flight, and a training or a
batch of pictures in flight takes longer than that: so the app is told to stop its work at the signal itself.
(SageMaker Developer Guide, "Use your own inference code with hosting services".)
"""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from avatar_workers.errors import WorkerFailure

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
DEFAULT_PORT = 8080
ADDRESS_VARIABLE = "AVATAR_BIND_ADDRESS"
DEFAULT_ADDRESS = "127.0.0.1"
GRACE_SECONDS = 20


@dataclass(frozen=True)
class ListeningPlace:
    """Where a container listens: an address of this machine, and a port of it."""

    address: str
    port: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ListeningPlace":
        """Read the variables; what is absent or empty takes its default.

        Raises:
            WorkerFailure: InvalidConfiguration, naming the variable that holds no port or no address.
        """
        port = environment.get(PORT_VARIABLE) or str(DEFAULT_PORT)
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise WorkerFailure("InvalidConfiguration", f"{PORT_VARIABLE} must be a port, not {port!r}")
        address = environment.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise WorkerFailure(
                "InvalidConfiguration",
                f"{ADDRESS_VARIABLE} must be an IP address of this machine, or 0.0.0.0 for all of them, not {address!r}",
            ) from None
        return cls(address, int(port))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn's own handler would raise the signal again at the end, and so hide the process's exit status.
        self._on_stop()
        self.should_exit = True


def serve(app: ASGIApp, *, place: ListeningPlace, on_stop: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; returns when connections are closed, after 20 s at the latest.

    Args:
        app: the container's app.
        place: where to listen; SystemExit with a logged reason if it is taken.
        on_stop: called in the signal handler, before waiting for requests in flight. Must return at once.
    """
    config = uvicorn.Config(
        app,
        host=place.address,
        port=place.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
        server_header=False,
    )
    _Server(config, on_stop).run()
