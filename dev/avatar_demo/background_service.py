"""Programs that outlive the command that started them, and are found again by the next one.

A record names the process by its id and the time the kernel started it, so a recycled process id is never taken for
ours. It is written as soon as the process exists: one that never becomes ready is found, and stopped, as well.
"""

from __future__ import annotations

import http.client
import json
import logging.handlers
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from avatar_demo.errors import DemoError
from local_cluster.processes import ProcessIdentity, is_alive, killed_by, start, stop_all
from local_cluster.readiness import last_complaint

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
FORMER_LOGS = 5
_POLL_SECONDS = 0.1
_REQUEST_SECONDS = 5.0


@dataclass(frozen=True)
class BackgroundService:
    """One program that listens on one loop-back port.

    Attributes:
        name: for files and messages.
        directory: receives `<name>.json` (the record), `<name>.log`, and the logs of former runs: `<name>.log.1` is the last one's.
        probe_path: GET of it answers 200 when the service is ready.
        port_option: what to type for another port, for messages.
    """

    name: str
    directory: Path
    probe_path: str
    port_option: str

    @property
    def log(self) -> Path:
        """Where the program's output goes."""
        return self.directory / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.directory / f"{self.name}.json"

    def port(self) -> int | None:
        """The port of the process that runs; None if none does."""
        recorded = self._read()
        return recorded[1] if recorded is not None and is_alive(recorded[0]) else None

    def last_port(self) -> int | None:
        """The port of the process that runs, or that ran until it ended by itself or was killed; None if none is known."""
        recorded = self._read()
        return recorded[1] if recorded is not None else None

    def ready_port(self) -> int | None:
        """The port of the process that runs and is ready; None if there is none."""
        port = self.port()
        return port if port is not None and self._is_ready(port) else None

    def require_free(self, port: int) -> None:
        """Make sure that nobody listens on a port.

        Raises:
            DemoError: somebody does.
        """
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError as error:
                raise DemoError(
                    f"{self.name} cannot listen on port {port} of 127.0.0.1 ({error.strerror}); stop what listens"
                    f" there, or choose another port: make demo {self.port_option}=PORT"
                ) from error

    def start(self, command: Sequence[str], environment: Mapping[str, str], port: int) -> None:
        """Start the program and wait until it is ready. Whatever happens, it can be stopped by `stop`.

        Raises:
            DemoError: its port is taken, or it ended or did not become ready.
        """
        self.require_free(port)
        self._keep_former_log()
        process = start(command, self.log, detached=True, environment=environment)
        partial = self._record.with_suffix(".partial")
        partial.write_text(json.dumps({"process": asdict(process), "port": port}))
        partial.replace(self._record)
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready(port):
            if (ended := self.ended()) is not None:
                raise DemoError(ended)
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{self.name} is not ready after {READY_SECONDS:.0f} s; it last said: {last_complaint(self.log)}"
                    f" (log: {self.log})"
                )
            time.sleep(_POLL_SECONDS)

    def ended(self) -> str | None:
        """Why the program does not run any more, in a sentence; None while it runs."""
        if self.port() is not None:
            return None
        recorded = self._read()
        if recorded is None:
            return f"{self.name} was stopped (log: {self.log})"
        if (signal_name := killed_by(recorded[0])) is not None:
            return f"{self.name} was killed by {signal_name} (log: {self.log})"
        return f"{self.name} has ended: {last_complaint(self.log)} (log: {self.log})"

    def stop(self) -> bool:
        """Stop the program.

        Returns:
            Whether it ran.
        """
        recorded = self._read()
        if recorded is None:
            return False
        was_alive = is_alive(recorded[0])
        stop_all([recorded[0]], STOP_SECONDS)
        self._record.unlink(missing_ok=True)
        return was_alive

    def _keep_former_log(self) -> None:
        if self.log.exists():
            former = logging.handlers.RotatingFileHandler(self.log, backupCount=FORMER_LOGS, delay=True)
            former.doRollover()
            former.close()

    def _read(self) -> tuple[ProcessIdentity, int] | None:
        try:
            document = json.loads(self._record.read_text())
            return ProcessIdentity(**document["process"]), int(document["port"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise DemoError(
                f"{self._record} is damaged ({error}); end {self.name}, then delete that file"
            ) from error

    def _is_ready(self, port: int) -> bool:
        # Not urllib: no proxy setting may divert this from the machine.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_SECONDS)
        try:
            connection.request("GET", self.probe_path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


Say = Callable[[str], None]
"""Takes one line for people."""
