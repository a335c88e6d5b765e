"""What a process gives up before it opens a photo of a stranger.

A defect of a decoder may hand the process over to whoever made the photo. What they find then: no credentials in the
environment (whoever starts the process sees to that), and a process that can open nothing any more: no file, no socket
(that is where a container's credentials are asked for), no other process. It goes on with the pipes that it has.
"""

from __future__ import annotations

import contextlib
import os
import resource
from typing import Final

MEMORY_BYTES: Final = 4 << 30
"""The largest photo that is taken, with transparency, is about 1 GiB on its way through Pillow."""
CPU_SECONDS: Final = 1800
"""For all photos of a training; ends a decoder whose worker died while it was busy."""
NOBODY: Final = 65534


def give_up_everything() -> None:
    """Lower this process's limits for ever, and its rights to nobody's if it is root. All that is needed is imported."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    os.environ.clear()
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NPROC, 0),
        # Pipes that are open stay so: the limit is on what is opened.
        (resource.RLIMIT_NOFILE, 0),
    ):
        highest = resource.getrlimit(limit)[1]
        allowed = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.setrlimit(limit, (allowed, allowed))
    if os.geteuid() == 0:
        # A container may have taken this right from its root; the limits hold all the same.
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
