"""What a decision about an AvatarRuntime may ask of the outside world, and what it may learn there. Data only."""

from dataclasses import dataclass

from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.decision import ActionFailed, Draft


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
