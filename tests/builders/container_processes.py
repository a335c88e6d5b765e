"""The processes of containers on a node of this machine, which sees them among its own: a node is a namespace of the machine's."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any


def kill_container(pod: dict[str, Any]) -> None:
    """Send SIGKILL to each process of a Pod's only container, as the kernel does when memory runs out.

    Args:
        pod: its object, with the status that tells the container's id.
    """
    (status,) = pod["status"]["containerStatuses"]
    container = status["containerID"].removeprefix("containerd://")
    pids = {
        int(pid)
        for group in Path("/sys/fs/cgroup").glob(f"**/avatar-node-*/**/{container}/cgroup.procs")
        for pid in group.read_text().split()
    }
    assert pids, f"container {container} has no process on this machine"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
