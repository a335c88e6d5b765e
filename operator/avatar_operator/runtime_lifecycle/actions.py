"""What a decision about an AvatarRuntime may ask of the outside world, and what it may learn there. Data only."""

from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_runtime import AvatarRuntimeStatus, EndpointStatus, LeftBehind
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.decision import ActionFailed, Draft
from avatar_operator.runtime_lifecycle.idle import IdleTime


@dataclass(frozen=True)
class EnsureEndpoints:
    """Make the endpoints what the runtime says, or look at those that somebody else owns."""


@dataclass(frozen=True)
class DeleteEndpoints:
    """Take the endpoints down that the operator made."""


@dataclass(frozen=True)
class RemoveLeftBehind:
    """Try once more to remove what an object that is gone has left behind; `for_good` if nobody can add to it any more."""

    entry: LeftBehind
    for_good: bool = False


@dataclass(frozen=True)
class RetireEndpoint:
    """Take an endpoint down that the spec names no more."""

    endpoint: EndpointStatus


RuntimeAction = EnsureEndpoints | DeleteEndpoints | RetireEndpoint | RemoveLeftBehind
RuntimeDraft = Draft[AvatarRuntimeStatus, RuntimeAction]


@dataclass(frozen=True)
class FormerEndpoint:
    """An endpoint that the spec names no more, and since when this process knows that."""

    status: EndpointStatus
    since: datetime


@dataclass(frozen=True)
class EndpointsSeen:
    """The endpoints as they are, after a step towards what they should be.

    Attributes:
        facts: those that the spec names.
        former: those that it names no more.
        idle: what no status says yet of their idle time; None where nothing is paid for.
    """

    facts: EndpointsFacts
    former: tuple[FormerEndpoint, ...] = ()
    idle: IdleTime | None = None


@dataclass(frozen=True)
class EndpointsDeleted:
    """What is left of the endpoints: nothing, if the facts are ready."""

    facts: EndpointsFacts


@dataclass(frozen=True)
class EndpointRetired:
    """What is left of an endpoint that the spec names no more: nothing, if the facts are ready."""

    endpoint: EndpointStatus
    facts: EndpointsFacts


@dataclass(frozen=True)
class RemovalTried:
    """What is left of what was left behind: nothing, if the report is empty."""

    entry: LeftBehind
    report: CleanupReport
    for_good: bool = False


RuntimeFact = EndpointsSeen | EndpointsDeleted | EndpointRetired | RemovalTried | ActionFailed[RuntimeAction]
