"""The first process in a node's namespaces: when it ends, the kernel kills all others in them.

    python -I namespace_init.py MARKER [TMPFS_DIRECTORY...]

Some programs have fixed places for what they leave behind: kubelet's plugins and links to logs, the results of network plugins,
the states of containers. Those places are empty file systems in memory here, so that nothing of it is on the machine's disk.
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


def _main() -> None:
    marker, more = Path(sys.argv[1]), sys.argv[2:]
    for place in (*_PRIVATE, *more):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place], check=True)
    Path("/var/log/containers").mkdir()
    # Held back, not ignored: a signal that comes before somebody waits for it must not be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    marker.touch()
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
