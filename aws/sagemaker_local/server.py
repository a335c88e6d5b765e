"""A running server: the HTTP front, the application behind it, and what has to be cleared up afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagemaker_local.application import LocalAwsApplication
from sagemaker_local.authorization.moto_identities import secret_of
from sagemaker_local.aws_clients import AwsClients
from sagemaker_local.clock import Clock
from sagemaker_local.door import Door
from sagemaker_local.http_server import listening_server
from sagemaker_local.instances.commands import ImageCommands
from sagemaker_local.instances.environment import inheritable
from sagemaker_local.instances.guardian import Guardian
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.instances.logs import LogShipper
from sagemaker_local.multi_model.store import DEFAULT_DISK_BUDGET_BYTES
from sagemaker_local.persistence.files import make_private
from sagemaker_local.persistence.saved_state import SavedState


class LocalAwsServer:
    """A running server: its port, its processes, its directory.

    Arguments:
        images: argument lists by image name.
        port: 0 for any free one.
        data_dir: where instances live and their logs stay; None for a temporary directory that is removed at the end.
        allow_hosts: names of this server beside those of the machine itself.
        allow_origins: origins whose web pages may call it.
        pass_environment: variables of this process that containers inherit beside those that any program needs.

    Raises:
        PortInUse, OSError: when it cannot listen there.
        ValueError: when a setting makes no sense.
    """

    def __init__(
        self,
        images: Mapping[str, Sequence[str]],
        bind_host: str = "127.0.0.1",
        port: int = 0,
        data_dir: Path | None = None,
        clock_speed: float = 1.0,
        disk_budget: int = DEFAULT_DISK_BUDGET_BYTES,
        redeliveries: int = 0,
        allow_hosts: Sequence[str] = (),
        allow_origins: Sequence[str] = (),
        pass_environment: Sequence[str] = (),
    ) -> None:
        door = Door.open_to(allow_hosts, allow_origins)
        inherited = inheritable(os.environ, pass_environment)
        if data_dir is not None:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._state = SavedState((data_dir / "state").resolve() if data_dir else None)
        commands, clock = ImageCommands(images), Clock(clock_speed)
        self._temporary: Path | None = None
        self._wsgi = listening_server(bind_host, port, self._answer)
        self.port = self._wsgi.port
        self.url = f"http://{'127.0.0.1' if bind_host == '0.0.0.0' else bind_host}:{self.port}"  # noqa: S104
        if data_dir is None:
            data_dir = self._temporary = Path(tempfile.mkdtemp(prefix="sagemaker-local-"))
        endpoints = (data_dir / "endpoints").resolve()
        make_private(endpoints)
        clients = AwsClients(self.url, secret_of)
        self._guardian = Guardian(self._temporary)
        self._shipper = LogShipper(clients)
        self.application = LocalAwsApplication(
            InstanceHost(clients, clock, self._guardian, commands, self._shipper, endpoints, inherited),
            disk_budget,
            redeliveries,
            self._state,
            replace(door, hosts=door.hosts | {bind_host.lower()}),
        )
        self._state.restore_moto()
        self.application.endpoints.restore()
        self._thread = threading.Thread(target=self._wsgi.serve_forever, name="http", daemon=True)

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.application(environ, start_response)

    def close(self) -> None:
        """End all instances, then the server. Leaves no process and no temporary file."""
        self._state.close()
        self.application.endpoints.end_all()
        self.application.autoscaler.close()
        self.application.scheduler.close()
        self.application.metrics.close()
        self._shipper.close()
        if self._thread.is_alive():
            self._wsgi.shutdown()
        self._wsgi.server_close()
        self._guardian.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
