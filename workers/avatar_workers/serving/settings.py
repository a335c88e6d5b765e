"""The serving container's limits, from its environment.

AVATAR_ADAPTER_BUDGET_BYTES      bytes of resident personal models; beyond it POST /models answers 507
AVATAR_MAX_ADAPTERS              count of resident personal models; likewise
AVATAR_MAX_ADAPTER_RANK          a personal model of a higher rank is refused
AVATAR_MAX_PICTURE_PIXELS        width x height of one picture
AVATAR_MAX_BATCH_PIXELS          pixels drawn at once; more pictures are drawn in several batches
AVATAR_MAX_WAITING_INVOCATIONS   beyond it invocations are turned away (503) instead of queued into their time-out
AVATAR_TORCH_THREADS             CPU threads of one operation; 0 leaves it to torch
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from avatar_workers.errors import WorkerFailure


@dataclass(frozen=True)
class ServingSettings:
    """Limits of one container. Defaults suit a Stable Diffusion 1.5 base."""

    adapter_budget_bytes: int = 1 << 30
    max_adapters: int = 1000
    max_adapter_rank: int = 256
    max_picture_pixels: int = 1 << 20
    max_batch_pixels: int = 1 << 21
    max_waiting_invocations: int = 32
    torch_threads: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "ServingSettings":
        """Read the variables; what is absent or empty takes its default.

        Raises:
            WorkerFailure: InvalidConfiguration, naming the variable that holds no acceptable number.
        """
        return cls(
            adapter_budget_bytes=_whole_number(
                environment, "AVATAR_ADAPTER_BUDGET_BYTES", cls.adapter_budget_bytes, 1
            ),
            max_adapters=_whole_number(environment, "AVATAR_MAX_ADAPTERS", cls.max_adapters, 1),
            max_adapter_rank=_whole_number(environment, "AVATAR_MAX_ADAPTER_RANK", cls.max_adapter_rank, 1),
            max_picture_pixels=_whole_number(
                environment, "AVATAR_MAX_PICTURE_PIXELS", cls.max_picture_pixels, 64 * 64
            ),
            max_batch_pixels=_whole_number(
                environment, "AVATAR_MAX_BATCH_PIXELS", cls.max_batch_pixels, 64 * 64
            ),
            max_waiting_invocations=_whole_number(
                environment, "AVATAR_MAX_WAITING_INVOCATIONS", cls.max_waiting_invocations, 1
            ),
            torch_threads=_whole_number(environment, "AVATAR_TORCH_THREADS", cls.torch_threads, 0),
        )


def _whole_number(environment: Mapping[str, str], variable: str, default: int, minimum: int) -> int:
    text = environment.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 18) or int(text) < minimum:
        raise WorkerFailure(
            "InvalidConfiguration",
            f"{variable} must be a whole number of at least {minimum}, not {text[:40]!r}",
        )
    return int(text)
