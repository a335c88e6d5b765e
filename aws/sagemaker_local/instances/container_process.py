"""One container's process group, from its first instruction to the end of its last child."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from sagemaker_local.instances.guardian import Guardian

_SIGNAL_BASE = 128


class ContainerProcess:
    """A running container.

    Arguments:
        process: the leader of its own process group, started by the guardian.
        on_exit: called once, on a thread of its own, as soon as the leader has ended.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], guardian: Guardian, on_exit: Callable[[], None]
    ) -> None:
        self._process = process
        self._guardian = guardian
        self._on_exit = on_exit
        self._exited = threading.Event()
        threading.Thread(target=self._reap, name=f"reap-{process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What it prints, to stdout and stderr."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def exit_code(self) -> int | None:
        """As a shell and Docker tell it: 128 + the signal's number for a process that was killed. None while it runs."""
        code = self._process.returncode
        return _SIGNAL_BASE - code if code is not None and code < 0 else code

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, children included. Returns whether it has."""
        return self._exited.wait(timeout)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing happens when it has ended."""
        if not self._exited.is_set():
            _signal_group(self.pid, number)

    def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL when `grace` real seconds are over. Does not wait after SIGKILL."""
        if self._exited.is_set():
            return
        self.send(signal.SIGTERM)
        if not self._exited.wait(grace):
            self.send(signal.SIGKILL)

    def _reap(self) -> None:
        self._process.wait()
        self._on_exit()
        _signal_group(self.pid, signal.SIGKILL)
        self._guardian.release(self.pid)
        self._exited.set()


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
