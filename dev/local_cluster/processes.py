"""Start, recognise and stop server processes, also those that an earlier command left running.

A process is known by its id and the time the kernel started it, so that a recycled id is never mistaken for ours
and never killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_cluster.errors import LocalClusterError

__all__ = ["ProcessIdentity", "is_alive", "killed_by", "start", "stop_all"]

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_BEGIN_WHEN_TOLD = Path(__file__).with_name("begin_when_told.py")
_POLL_SECONDS = 0.02

# The servers this process itself started: only their parent can take note of their end.
_children: dict[int, subprocess.Popen[bytes]] = {}
_exit_statuses: dict[ProcessIdentity, int] = {}


@dataclass(frozen=True)
class ProcessIdentity:
    """A process; `started` is field 22 of /proc/PID/stat, in clock ticks since boot."""

    pid: int
    started: int


def start(
    command: Sequence[str],
    log: Path,
    *,
    detached: bool,
    environment: Mapping[str, str] | None = None,
    remember: Callable[[ProcessIdentity], None] | None = None,
) -> ProcessIdentity:
    """Start a server whose output goes to `log`.

    Args:
        command: absolute path of the program, and its arguments.
        log: overwritten.
        detached: True to let it outlive us; False to have it killed when the calling thread ends.
        environment: its whole environment; by default ours.
        remember: writes down which process it is; the server does not begin before that, nor if we are killed until then.

    Raises:
        LocalClusterError: the program cannot be started.
    """
    launcher = [] if remember is None else [sys.executable, "-I", str(_BEGIN_WHEN_TOLD)]
    if not detached:
        launcher += [sys.executable, "-I", str(_DIE_WITH_PARENT), str(os.getpid())]
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*launcher, *command],
                stdin=subprocess.DEVNULL if remember is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment,
                # Ctrl-C in the terminal must reach us first, so that we stop the servers in order.
                start_new_session=True,
            )
    except OSError as error:
        raise LocalClusterError(f"cannot start {command[0]}: {error.strerror}") from error
    _children[process.pid] = process
    stat = _read_stat(process.pid)
    identity = ProcessIdentity(pid=process.pid, started=stat[1] if stat else 0)
    if remember is not None and process.stdin is not None:
        with process.stdin:
            remember(identity)
            process.stdin.write(b"\n")
    return identity


def is_alive(process: ProcessIdentity) -> bool:
    """Whether this very process still runs; one that ended and was not waited for does not."""
    child = _children.get(process.pid)
    if child is not None and (exit_status := child.poll()) is not None:
        del _children[process.pid]
        _exit_statuses[process] = exit_status
    stat = _read_stat(process.pid)
    return stat is not None and stat[1] == process.started and stat[0] not in "ZX"


def killed_by(process: ProcessIdentity) -> str | None:
    """The signal that ended a process, such as `SIGKILL`.

    Returns:
        None if it lives, ended by itself, or was not started by this very process: only a parent learns how its child ended.
    """
    exit_status = 0 if is_alive(process) else _exit_statuses.get(process, 0)
    return signal.Signals(-exit_status).name if exit_status < 0 else None


def stop_all(processes: Iterable[ProcessIdentity], grace_seconds: float = 5.0) -> None:
    """Stop processes in the given order, each with SIGTERM and, after the grace time, SIGKILL.

    Raises:
        LocalClusterError: one belongs to another user, or would not die.
    """
    for process in processes:
        for signal_number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
            if _signal_and_wait(process, signal_number, seconds):
                break
        else:
            raise LocalClusterError(f"process {process.pid} does not end, even by SIGKILL")


def _signal_and_wait(process: ProcessIdentity, signal_number: signal.Signals, seconds: float) -> bool:
    if not is_alive(process):
        return True
    try:
        os.kill(process.pid, signal_number)
    except ProcessLookupError:
        return True
    except PermissionError:
        raise LocalClusterError(
            f"process {process.pid} belongs to another user; stop it as that user"
        ) from None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_alive(process):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _read_stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process, or None if there is none; see proc_pid_stat(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name may hold spaces and brackets; the fields we want come after its closing one.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
