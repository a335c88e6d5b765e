"""How many threads torch computes with."""

import os
from collections.abc import Mapping

import torch

from avatar_workers.errors import WorkerFailure

VARIABLE = "AVATAR_TORCH_THREADS"


def limit_torch_threads(environment: Mapping[str, str] = os.environ) -> None:
    """Set torch's threads from AVATAR_TORCH_THREADS, or to the cores that this process may run on.

    Raises:
        WorkerFailure: InvalidConfiguration, if the variable holds no positive number.
    """
    value = environment.get(VARIABLE) or str(len(os.sched_getaffinity(0)))
    if not value.isdecimal() or not 1 <= int(value) <= 1024:
        raise WorkerFailure(
            "InvalidConfiguration", f"{VARIABLE} must be a number from 1 to 1024, not {value!r}"
        )
    torch.set_num_threads(int(value))
