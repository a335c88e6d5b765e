"""Become a program once a byte comes in; end instead if nobody is left to send one.

    python -I begin_when_told.py PROGRAM [ARGUMENT...]

Whoever starts a server writes down which process it is, and can be killed before it comes to that. So the process is there first,
then the record of it, and the server last: no server runs that is on no record.
"""

from __future__ import annotations

import os
import sys

__all__: list[str] = []


def _main() -> None:
    program = sys.argv[1:]
    if not os.read(0, 1):
        sys.exit("nobody is left to say that it shall begin")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(program[0], program)  # noqa: S606 - becoming the program is the point


if __name__ == "__main__":
    _main()
