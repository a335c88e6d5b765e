"""The first process in a node's namespaces: when it ends, the kernel kills all others in them.

    python -I namespace_init.py NODE_DIRECTORY in-memory|on-disk

Some programs have fixed places for what they leave behind: kubelet's links to logs, the results of network plugins, the states of
containers. Those places are empty file systems in memory here. kubelet's own two are folders of the node's directory: their paths
have to be short, for there are sockets in them.
Standard library only: it runs isolated from the environment of whoever started it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

__all__: list[str] = []

_PRIVATE = ("/run", "/var/lib", "/var/log")
_BOUND = {"kubelet": Path("/var/lib/kubelet"), "pod-logs": Path("/var/log/pods")}


def _main() -> None:
    node, images = Path(sys.argv[1]), sys.argv[2]
    in_memory = [*_PRIVATE, *([str(node / "images")] if images == "in-memory" else [])]
    for tmpfs in in_memory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", tmpfs], check=True)
    Path("/var/log/containers").mkdir()
    for folder, place in _BOUND.items():
        place.mkdir(parents=True)
        subprocess.run(["mount", "--bind", node / folder, place], check=True)
    # Held back, not ignored: a signal that comes before somebody waits for it must not be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    (node / "namespaces-made").touch()
    while True:
        _take_note_of_the_dead()
        signal.sigwait({signal.SIGCHLD})


def _take_note_of_the_dead() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    _main()
