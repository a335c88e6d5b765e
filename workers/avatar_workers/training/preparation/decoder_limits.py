"""What a process gives up before it opens a photo of a stranger.

A defect of a decoder may hand the process over to whoever made the photo. What they find then: no credentials in the
environment (whoever starts the process sees to that), and a process that can open nothing any more: no file, no socket
(that is where a container's credentials are asked for), no other process. It goes on with the pipes that it has, and with
the processor's time that one photo may take: `photo_decoder` replaces it when that is used up. `landlock` closes what is reached
without opening anything.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import time
from typing import Final

from avatar_workers.training.preparation.landlock import shut_in

MEMORY_BYTES: Final = 4 << 30
"""The largest photo that is taken, with transparency, is about 1 GiB on its way through Pillow."""
CPU_SECONDS: Final = 10
"""For a photo that has a decoder to itself: the largest that is taken needs a few. Ends one whose worker died meanwhile, too."""
NOBODY: Final = 65534


def give_up_everything() -> None:
    """Lower this process's limits for ever, and its rights to nobody's if it is root. All that is needed is imported."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    os.environ.clear()
    shut_in()
    cpu_seconds = math.ceil(time.process_time()) + CPU_SECONDS
    for limit, value, last in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES),
        # The first ends with a signal of its own, by which the worker knows why; the last cannot be ignored.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_NPROC, 0, 0),
        # Pipes that are open stay so: the limit is on what is opened.
        (resource.RLIMIT_NOFILE, 0, 0),
    ):
        highest = resource.getrlimit(limit)[1]
        if highest != resource.RLIM_INFINITY:
            value, last = min(value, highest), min(last, highest)
        resource.setrlimit(limit, (value, last))
    if os.geteuid() == 0:
        # A container may have taken this right from its root; the limits hold all the same.
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
