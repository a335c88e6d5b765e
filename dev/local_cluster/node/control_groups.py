"""The control groups below which a node's containers run: the one thing that the kernel keeps when a node is gone.

An empty group of ours belongs to a node that ended, for a living one has a process in each. So groups that a killed node left are
found and removed without anybody remembering them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from local_cluster.errors import LocalClusterError

__all__ = ["create", "remove_abandoned", "wait_until_empty"]

_ROOT = Path("/sys/fs/cgroup")
_OWN_PATTERN = "avatar-node-*"
_MEMBER = "node"
_EMPTY_SECONDS = 10.0
_POLL_SECONDS = 0.02


def create(name: str, pid: int) -> None:
    """Make the groups of a node.

    Args:
        name: of the groups.
        pid: a process that lives as long as the node.
    """
    for root in _hierarchies():
        member = root / name / _MEMBER
        member.mkdir(parents=True, exist_ok=True)
        if (root / "cgroup.controllers").exists():
            for group in (root, root / name):
                controllers = (group / "cgroup.controllers").read_text().split()
                (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))
        for group in (root / name, member):
            # Version 1 gives a new group no processors, and lets no process into it until it has some.
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (group / setting).exists() and not (root / "cgroup.controllers").exists():
                    (group / setting).write_text((root / setting).read_text())
        (member / "cgroup.procs").write_text(str(pid))


def wait_until_empty(name: str) -> None:
    """Wait until no process is left in the groups of a node that was killed; those that are left are killed.

    Raises:
        LocalClusterError: one would not end.
    """
    deadline = time.monotonic() + _EMPTY_SECONDS
    while pids := {pid for root in _hierarchies() for pid in _processes(root / name)}:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise LocalClusterError(
                f"processes {sorted(pids)} of the node {name} do not end, even by SIGKILL"
            )
        time.sleep(_POLL_SECONDS)


def remove_abandoned() -> None:
    """Remove the groups of nodes that have ended; the caller is alone on this machine."""
    for root in _hierarchies():
        for group in root.glob(_OWN_PATTERN):
            if not _processes(group):
                for directory in sorted(_tree(group), reverse=True):
                    directory.rmdir()


def _hierarchies() -> Iterator[Path]:
    """Where groups are made: one place in version 2, one for each controller in version 1."""
    if (_ROOT / "cgroup.controllers").exists():
        yield _ROOT
    else:
        yield from (
            path for path in _ROOT.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink()
        )


def _tree(group: Path) -> list[Path]:
    return [group, *(path for path in group.rglob("*") if path.is_dir())] if group.is_dir() else []


def _processes(group: Path) -> list[int]:
    return [
        int(pid) for directory in _tree(group) for pid in (directory / "cgroup.procs").read_text().split()
    ]
