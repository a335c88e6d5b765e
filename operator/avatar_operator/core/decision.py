"""What a reconcile decides: the status to be, the actions to take, what is said in farewell. All of it plain data.

A decision is built by a list of phases. Each phase is a pure function that takes the observation and the draft of the
decision and returns the draft, changed or not; `finish` ends the list. So every rule has a name, a file and a test,
and the list itself can be read as the life of the object.

What an action learned comes back as a fact, and is folded into the draft by another pure function, beside the phase
that asked for the action. A failure is a fact like any other (`ActionFailed`): what it means, the phase knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from avatar_operator.core.confidential import NOTHING, Confidential

StatusT = TypeVar("StatusT")
ActionT = TypeVar("ActionT")
ObservationT = TypeVar("ObservationT")
NO_PHASE = "none"
HOPELESS_PAUSE_SECONDS = 30.0
"""What only a person can mend is asked for again at this pace, where nothing shows that it was mended."""


@dataclass(frozen=True)
class Notice:
    """Something worth telling people: a Kubernetes Event, and a CloudEvent too if `announce` names its type."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    announce: str | None = None


@dataclass(frozen=True)
class Retry:
    """Something failed that may work later.

    Attributes:
        reason: one CamelCase word, for the log, the metric and, if it lasts, a condition.
        message: what failed and how to mend it, for a person.
        at_least: seconds to wait at least before the next try; the queue's back-off may make it longer.
    """

    reason: str
    message: str
    at_least: float = 0.0


@dataclass(frozen=True)
class ActionFailed(Generic[ActionT]):
    """The fact that an action failed.

    Attributes:
        action: what was to be done.
        reason: one CamelCase word.
        message: what happened and how to mend it, for a tenant.
        retryable: whether the same action may succeed later without anybody changing anything.
        retry_after: seconds to wait at least, if the other side said so.
        said: what the other side said: see `told_in_full`.
    """

    action: ActionT
    reason: str
    message: str
    retryable: bool
    retry_after: float | None = None
    said: Confidential = NOTHING

    def told_in_full(self) -> "ActionFailed[ActionT]":
        """The same with all that is known of it for a message: what an AvatarRuntime says, and nothing that tenants read."""
        return replace(self, message=self.said.reveal() or self.message)

    def as_retry(self, *, hopeless_pause: float = 0.0) -> Retry:
        """The same as a reason to try again.

        Args:
            hopeless_pause: seconds to wait at least if it stays as it is until a person mends it.
        """
        at_least = 0.0 if self.retryable else hopeless_pause
        return Retry(self.reason, self.message, max(at_least, self.retry_after or 0.0))


@dataclass(frozen=True)
class Draft(Generic[StatusT, ActionT]):
    """A decision in the making.

    Attributes:
        status: what the status shall be.
        actions: what shall be done in the outside world, in this order.
        farewells: what shall be told of an object that is about to go. Everything else that is worth telling stands in
            the status, and is told because it stands there.
        requeue_after: seconds after which to look again, at the latest.
        retrying: set if something failed that may work later: the pass is repeated with back-off.
        finalizer: what shall become of our finalizer: added before the actions, or removed after them.
        delete_object: delete the object itself, after everything else.
        finished: no later phase has a say.
        decided_by: the last phase that changed what will be done or said, by name; when to look again is neither.
    """

    status: StatusT
    actions: tuple[ActionT, ...] = ()
    farewells: tuple[Notice, ...] = ()
    requeue_after: float | None = None
    retrying: Retry | None = None
    finalizer: Literal["Keep", "Add", "Remove"] = "Keep"
    delete_object: bool = False
    finished: bool = False
    decided_by: str = NO_PHASE

    def with_status(self, status: StatusT) -> "Draft[StatusT, ActionT]":
        """The draft with another status."""
        return replace(self, status=status)

    def act(self, *actions: ActionT) -> "Draft[StatusT, ActionT]":
        """The draft with more actions."""
        return replace(self, actions=(*self.actions, *actions))

    def say_farewell(self, notice: Notice) -> "Draft[StatusT, ActionT]":
        """The draft with one more notice about an object that is about to go."""
        return replace(self, farewells=(*self.farewells, notice))

    def look_again_in(self, seconds: float) -> "Draft[StatusT, ActionT]":
        """The draft with a time to look again; the earliest wins."""
        earliest = seconds if self.requeue_after is None else min(self.requeue_after, seconds)
        return replace(self, requeue_after=max(earliest, 0.0))

    def retry(self, reason: Retry) -> "Draft[StatusT, ActionT]":
        """The draft that is written as it stands and tried again with back-off."""
        return replace(self, retrying=reason)

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
        before, draft = draft, phase(observation, draft)
        if draft is not before and replace(draft, requeue_after=before.requeue_after) != before:
            draft = replace(draft, decided_by=phase.__name__)
        if draft.finished:
            break
    return draft
