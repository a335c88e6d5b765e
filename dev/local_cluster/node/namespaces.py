"""Start a node's namespaces, and programs in them."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from local_cluster.errors import LocalClusterError
from local_cluster.node.state import NodeDirectory
from local_cluster.processes import ProcessIdentity, is_alive
from local_cluster.readiness import last_complaint

__all__ = ["inside", "namespaces_command", "wait_until_made"]

_INIT = Path(__file__).with_name("namespace_init.py")
_MADE_SECONDS = 20.0
_POLL_SECONDS = 0.01
_ENOUGH_MEMORY_KIB = 8 * 1024 * 1024
_NAMESPACES = ("--pid", "--mount", "--net", "--fork", "--kill-child", "--mount-proc")


def namespaces_command(node: NodeDirectory) -> list[str]:
    """The command whose end is the node's end.

    Images are kept in memory where there is enough of it: importing one takes a third of the time.
    """
    return [
        _path_of("unshare"),
        *_NAMESPACES,
        "--",
        sys.executable,
        "-I",
        str(_INIT),
        str(node.root),
        "in-memory" if _memory_kib() >= _ENOUGH_MEMORY_KIB else "on-disk",
    ]


def wait_until_made(node: NodeDirectory, process: ProcessIdentity, log: Path) -> None:
    """Wait until the namespaces are there.

    Raises:
        LocalClusterError: they could not be made.
    """
    deadline = time.monotonic() + _MADE_SECONDS
    while not node.marker.exists():
        if not is_alive(process) or time.monotonic() > deadline:
            raise LocalClusterError(
                f"the node's namespaces were not made: {last_complaint(log)} (log: {log})"
            )
        time.sleep(_POLL_SECONDS)


def inside(process: ProcessIdentity, command: list[str]) -> list[str]:
    """The command that runs another one in the namespaces of a node.

    Args:
        process: that of `namespaces_command`. It isn't in the namespace of processes itself, its children are.
        command: what to run.
    """
    namespaces = Path(f"/proc/{process.pid}/ns")
    return [
        _path_of("nsenter"),
        f"--net={namespaces / 'net'}",
        f"--mount={namespaces / 'mnt'}",
        f"--pid={namespaces / 'pid_for_children'}",
        "--",
        *command,
    ]


def _path_of(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise LocalClusterError(f"{program} is not on PATH")
    return path


def _memory_kib() -> int:
    return int(Path("/proc/meminfo").read_text().split()[1])
