"""Which backend serves a runtime: the one member of its union."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.base import Backend

BackendName = Literal["sagemaker", "simulated"]


def backend_name(runtime: AvatarRuntime) -> BackendName:
    """The member of the union that is set; admission sees to it that exactly one is."""
    return "sagemaker" if runtime.spec.backend.sagemaker is not None else "simulated"


@dataclass(frozen=True)
class Backends:
    """The backends of this process, by name."""

    by_name: Mapping[BackendName, Backend]

    def of(self, runtime: AvatarRuntime) -> Backend:
        """The backend that serves a runtime."""
        return self.by_name[backend_name(runtime)]
