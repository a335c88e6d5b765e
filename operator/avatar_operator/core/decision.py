"""What a reconcile decides: the status to be, the actions to take, the things to tell. All of it plain data.

A decision is built by a list of phases. Each phase is a pure function that takes the observation and the draft of the
decision and returns the draft, changed or not; `finish` ends the list. So every rule has a name, a file and a test,
and the list itself can be read as the life of the object.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

StatusT = TypeVar("StatusT")
ActionT = TypeVar("ActionT")
ObservationT = TypeVar("ObservationT")


@dataclass(frozen=True)
class Notice:
    """Something worth telling people: a Kubernetes Event, and a CloudEvent too if `announce` names its type."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    announce: str | None = None


@dataclass(frozen=True)
class Draft(Generic[StatusT, ActionT]):
    """A decision in the making.

    Attributes:
        status: what the status shall be.
        actions: what shall be done in the outside world, in this order.
        notices: what shall be told.
        requeue_after: seconds after which to look again, at the latest.
        retry_at_least: set if something failed that may work later: seconds to wait at least before the next try.
        finalizer: what shall become of our finalizer: added before the actions, or removed after them.
        delete_object: delete the object itself, after everything else.
        finished: no later phase has a say.
    """

    status: StatusT
    actions: tuple[ActionT, ...] = ()
    notices: tuple[Notice, ...] = ()
    requeue_after: float | None = None
    retry_at_least: float | None = None
    finalizer: Literal["Keep", "Add", "Remove"] = "Keep"
    delete_object: bool = False
    finished: bool = False

    def with_status(self, status: StatusT) -> "Draft[StatusT, ActionT]":
        """The draft with another status."""
        return replace(self, status=status)

    def act(self, *actions: ActionT) -> "Draft[StatusT, ActionT]":
        """The draft with more actions."""
        return replace(self, actions=(*self.actions, *actions))

    def tell(self, notice: Notice) -> "Draft[StatusT, ActionT]":
        """The draft with one more notice."""
        return replace(self, notices=(*self.notices, notice))

    def look_again_in(self, seconds: float) -> "Draft[StatusT, ActionT]":
        """The draft with a time to look again; the earliest wins."""
        earliest = seconds if self.requeue_after is None else min(self.requeue_after, seconds)
        return replace(self, requeue_after=max(earliest, 0.0))

    def retry(self, *, at_least: float = 0.0) -> "Draft[StatusT, ActionT]":
        """The draft that is written as it stands and tried again with back-off."""
        return replace(self, retry_at_least=at_least)

    def add_finalizer(self) -> "Draft[StatusT, ActionT]":
        """The draft that holds the object before its actions."""
        return replace(self, finalizer="Add")

    def delete(self) -> "Draft[StatusT, ActionT]":
        """The draft that deletes the object after everything else."""
        return replace(self, delete_object=True)

    def remove_finalizer(self) -> "Draft[StatusT, ActionT]":
        """The draft that lets the object go after its actions."""
        return replace(self, finalizer="Remove")

    def finish(self) -> "Draft[StatusT, ActionT]":
        """The draft as it stands, whatever later phases would say."""
        return replace(self, finished=True)


Phase = Callable[[ObservationT, Draft[StatusT, ActionT]], Draft[StatusT, ActionT]]


def run_phases(
    phases: Sequence[Phase[ObservationT, StatusT, ActionT]],
    observation: ObservationT,
    draft: Draft[StatusT, ActionT],
) -> Draft[StatusT, ActionT]:
    """Pass the draft through the phases, in order, until one finishes it."""
    for phase in phases:
        draft = phase(observation, draft)
        if draft.finished:
            break
    return draft
