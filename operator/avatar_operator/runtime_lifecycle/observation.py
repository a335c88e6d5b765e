"""Everything that a decision about an AvatarRuntime depends on, gathered once and frozen."""

from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.decision import ActionFailed, Draft


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


@dataclass(frozen=True)
class EnsureEndpoints:
    """Make the endpoints what the runtime says, or look at those that somebody else owns."""


@dataclass(frozen=True)
class DeleteEndpoints:
    """Take the endpoints down that the operator made."""


RuntimeAction = EnsureEndpoints | DeleteEndpoints
RuntimeDraft = Draft[AvatarRuntimeStatus, RuntimeAction]


@dataclass(frozen=True)
class EndpointsSeen:
    """The endpoints as they are, after a step towards what they should be."""

    facts: EndpointsFacts


@dataclass(frozen=True)
class EndpointsDeleted:
    """What is left of the endpoints: nothing, if the facts are ready."""

    facts: EndpointsFacts


RuntimeFact = EndpointsSeen | EndpointsDeleted | ActionFailed[RuntimeAction]
