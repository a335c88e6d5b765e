"""Run a program that the kernel kills when the process that started it dies.

    python -I die_with_parent.py PARENT_PID PROGRAM [ARGUMENT...]

A test run that is killed with SIGKILL can clean up nothing, so its servers must not need it to. This is a program
of its own rather than a `preexec_fn`, which may deadlock in a parent that has threads. The kernel watches the
thread that called fork, not the whole process (prctl(2), PR_SET_PDEATHSIG), so start servers from a thread that
lives as long as they should.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

__all__: list[str] = []

_PR_SET_PDEATHSIG = 1


def _main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # The parent may have died before prctl took effect: then no signal will ever come.
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(program[0], program)  # noqa: S606 - becoming the program is the point


if __name__ == "__main__":
    _main()
