"""Run a container's app: on SageMaker's port, until SIGTERM, and then to a clean end.

SageMaker sends SIGTERM and kills after 30 s. uvicorn would first wait for requests in flight, and a training or a
batch of pictures in flight takes longer than that: so the app is told to stop its work at the signal itself.
(SageMaker Developer Guide, "Use your own inference code with hosting services".)
"""

import os
from collections.abc import Callable, Mapping
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from avatar_workers.errors import WorkerFailure

PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
DEFAULT_PORT = 8080
GRACE_SECONDS = 20


def port_from_environment(environment: Mapping[str, str] = os.environ) -> int:
    """The port to listen on.

    Raises:
        WorkerFailure: InvalidConfiguration, if the variable holds no port.
    """
    value = environment.get(PORT_VARIABLE) or str(DEFAULT_PORT)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise WorkerFailure("InvalidConfiguration", f"{PORT_VARIABLE} must be a port, not {value!r}")
    return int(value)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn's own handler would raise the signal again at the end, and so hide the process's exit status.
        self._on_stop()
        self.should_exit = True


def serve(app: ASGIApp, *, port: int, on_stop: Callable[[], None], host: str = "0.0.0.0") -> None:  # noqa: S104
    """Serve until SIGTERM or SIGINT; returns when connections are closed, after 20 s at the latest.

    Args:
        app: the container's app.
        port: where to listen; SystemExit with a logged reason if it is taken.
        on_stop: called in the signal handler, before waiting for requests in flight. Must return at once.
        host: the address to listen on; a container listens on all of its own.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
        server_header=False,
    )
    _Server(config, on_stop).run()
