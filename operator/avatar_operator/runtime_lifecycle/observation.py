"""Everything that a decision about an AvatarRuntime depends on, gathered once and frozen."""

from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_runtime import AvatarRuntime


@dataclass(frozen=True)
class RuntimeObservation:
    """An AvatarRuntime and who uses it, at one instant. `users` is the number of AvatarModels that name it."""

    now: datetime
    runtime: AvatarRuntime
    users: int

    @property
    def generation(self) -> int:
        """The generation of the runtime's spec."""
        return self.runtime.metadata.generation
