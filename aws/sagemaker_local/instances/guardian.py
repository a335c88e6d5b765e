"""Nothing outlives the server, not even when the server is killed with -9.

A container may be any command with any children. Linux's PR_SET_PDEATHSIG would only reach the direct child, fires when the
*thread* that forked ends, and needs Python code between fork and exec in a threaded process. So instead one tiny process, the
guardian, holds the reading end of a pipe. The server writes every process group that it starts or ends into the pipe; when the
server is gone, for whatever reason, the pipe ends, and the guardian kills what is left and removes the temporary directory.

There is no gap: a container process waits (in a shell's `read`) until its group has been written to the pipe, and only then
becomes the command. Works wherever there are process groups; costs one sleeping process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_GATE = 'read -r _ && exec "$@" </dev/null'


class Guardian:
    """The guardian process, as the server sees it.

    Arguments:
        temporary: a directory to remove when the server ends, or None.
    """

    def __init__(self, temporary: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(temporary or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def spawn(
        self, argv: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command in its own process group, guarded from its first instruction on.

        Returns:
            The process; its stdout carries stderr too. When the command cannot be executed it ends with 126 or 127.
        """
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GATE, argv[0], *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )
        self._write(f"+{process.pid}\n")
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        return process

    def release(self, group: int) -> None:
        """The group has ended; its number may be used again by others."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the guardian: it kills what is left and removes the temporary directory first."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def guard(temporary: str) -> None:
    """The guardian process's own life: read until the server is gone, then clear up."""
    import shutil
    import signal

    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    if temporary:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    guard(sys.argv[1])
