"""Everything that a decision about an AvatarRuntime depends on, gathered once and frozen."""

from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus, LeftBehind
from avatar_operator.announcements.place_troubles import PlaceTrouble
from avatar_operator.orphans.finding import Finding
from avatar_operator.runtime_lifecycle.overlaps import Overlap
from avatar_operator.runtime_lifecycle.users import Users
from avatar_operator.runtime_lifecycle.work import Work


@dataclass(frozen=True)
class RuntimeObservation:
    """An AvatarRuntime and its surroundings at one instant.

    Attributes:
        now: the instant.
        runtime: the object as last seen, its status as far as it is believed.
        users: who keeps it from going, gathered only when it is being deleted.
        unseen: namespaces that it admits and the operator cannot watch at present: what is there may use it, too.
        work: what its endpoints are at work on.
        handed_over: what objects that are being deleted want the runtime to take over.
        orphans: what the collector of orphans found last; None before its first look.
        topic_trouble: why its status topic does not hear everything; None if it does, as far as is known.
        overlap: another runtime that it is not apart from; None if there is none.
        recorded: its status as it stands; None if all of it is believed.
        foreign: fields of the status that the operator cannot have written, which is why `runtime` has them otherwise.
    """

    now: datetime
    runtime: AvatarRuntime
    users: Users
    work: Work
    handed_over: tuple[LeftBehind, ...] = ()
    orphans: Finding | None = None
    topic_trouble: PlaceTrouble | None = None
    overlap: Overlap | None = None
    unseen: tuple[str, ...] = ()
    recorded: AvatarRuntimeStatus | None = None
    foreign: tuple[str, ...] = ()

    @property
    def generation(self) -> int:
        """The generation of the runtime's spec."""
        return self.runtime.metadata.generation
