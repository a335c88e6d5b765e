"""How many threads torch computes with."""

import os
from collections.abc import Mapping

from avatar_workers.errors import WorkerFailure

VARIABLE = "AVATAR_TORCH_THREADS"
MAX_THREADS = 1024


def torch_threads_from_environment(environment: Mapping[str, str] = os.environ) -> int:
    """AVATAR_TORCH_THREADS, or else the number of cores that this process may run on.

    Raises:
        WorkerFailure: InvalidConfiguration, if the variable holds no number from 1 to 1,024.
    """
    value = environment.get(VARIABLE) or str(len(os.sched_getaffinity(0)))
    if not value.isdecimal() or not 1 <= int(value) <= MAX_THREADS:
        raise WorkerFailure(
            "InvalidConfiguration", f"{VARIABLE} must be a number from 1 to {MAX_THREADS}, not {value!r}"
        )
    return int(value)
