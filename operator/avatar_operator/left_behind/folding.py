"""What follows for an object from what became of its data. Pure.

Each function takes `record`, which makes the action RecordLeftBehind: a draft knows only the actions of its own kind.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.meta import ObjectMeta, ObservedStatus
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import ActionFailed, Draft, Notice, Retry
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    UnmarkedRetained,
)

CLEANUP_PATIENCE_SECONDS = 600
"""For so long an object that is being deleted tries to remove its data itself."""
RECORDING_PATIENCE_SECONDS = 3600
"""For so long it waits for its runtime to take over, once asked; anew with each process. A runtime that this version cannot
read never does."""
RECORDING_LOOK_SECONDS = 2.0
MARK_AGAIN_SECONDS = 300.0
"""How often a mark is tried that is denied, while the object lives."""

StatusT = TypeVar("StatusT", bound=ObservedStatus)
ActionT = TypeVar("ActionT")


def going_seconds(metadata: ObjectMeta, now: datetime) -> float:
    """For how many seconds an object has been going; it is going."""
    assert metadata.deletion_timestamp is not None
    return (now - metadata.deletion_timestamp).total_seconds()


def fold_cleanup(
    draft: Draft[StatusT, ActionT],
    fact: DataDeleted | LeftBehindHandedOver | ActionFailed[ActionT],
    record: Callable[[str], ActionT],
    *,
    metadata: ObjectMeta,
    now: datetime,
    asked_since: datetime | None,
) -> Draft[StatusT, ActionT]:
    """The draft of an object that is being deleted and has tried to remove its data, or to hand over what is left.

    Args:
        draft: the draft.
        fact: what became of that.
        record: makes the action that hands over what remains.
        metadata: the object's.
        now: the instant.
        asked_since: since when its runtime has been asked to take over.
    """
    match fact:
        case DataDeleted(report=report):
            remains, retry = "; ".join(report.left_behind), Retry("CleanupIncomplete", "")
        case LeftBehindHandedOver(remains=explanation):
            return draft.retry(Retry("CleanupIncomplete", explanation, RECORDING_LOOK_SECONDS))
        case ActionFailed(message=message):
            remains, retry = message, fact.as_retry()
    if not remains:
        return draft.remove_finalizer()
    explanation = f"Not everything could be removed: {remains}"
    if going_seconds(metadata, now) < CLEANUP_PATIENCE_SECONDS:
        return draft.retry(Retry(retry.reason, explanation, retry.at_least))
    if not was_asked_in_vain(asked_since, now):
        return draft.act(record(explanation))
    return draft.say_farewell(Notice("Warning", "CleanupIncomplete", explanation)).remove_finalizer()


def fold_mark(
    draft: Draft[StatusT, ActionT],
    fact: MarkedRetained | UnmarkedRetained | ActionFailed[ActionT],
    record: Callable[[str], ActionT],
    *,
    metadata: ObjectMeta,
    now: datetime,
    asked_since: datetime | None,
    marked: bool,
) -> Draft[StatusT, ActionT]:
    """The draft of an object whose data shall stay, and that has tried to mark it so; or shall not any more.

    Args:
        draft: the draft; if the object is going, as it shall be once nothing is in the way.
        fact: what became of that.
        record: makes the action that hands over what is not marked.
        metadata: the object's.
        now: the instant.
        asked_since: since when its runtime has been asked to take over.
        marked: whether the mark was left before.
    """
    match fact:
        case MarkedRetained():
            return update_status(draft, retained_time=now)
        case UnmarkedRetained():
            return update_status(draft, retained_time=None)
        case ActionFailed() if metadata.deletion_timestamp is None:
            return draft.retry(fact.as_retry(hopeless_pause=MARK_AGAIN_SECONDS))
        case ActionFailed() if marked:
            return draft
        case ActionFailed(message=message):
            explanation = (
                f"What is retained could not be marked so, and may be taken for an orphan: {message}"
            )
    if going_seconds(metadata, now) < CLEANUP_PATIENCE_SECONDS:
        return draft.retry(fact.as_retry())
    if not was_asked_in_vain(asked_since, now):
        return draft.act(record(explanation))
    return draft.say_farewell(Notice("Warning", "RetainedUnmarked", explanation))


def was_asked_in_vain(asked_since: datetime | None, now: datetime) -> bool:
    """Whether a runtime has not taken over in time what an object leaves behind."""
    # Not told by how long the object has been going: nobody may have been there to ask.
    return asked_since is not None and (now - asked_since).total_seconds() >= RECORDING_PATIENCE_SECONDS


def let_go(draft: Draft[StatusT, ActionT], runtime: AvatarRuntime, uid: str) -> Draft[StatusT, ActionT]:
    """The draft of an object whose runtime has taken over what it leaves behind. Pure."""
    entry = next(entry for entry in runtime.status.left_behind if entry.uid == uid)
    what = (
        "Not everything could be removed, or marked as retained, in time."
        if entry.may_grow_until is None
        else "A worker has not said that it stopped, and may still store something."
    )
    message = (
        f"{what} AvatarRuntime {runtime.metadata.name} goes on"
        f" trying, and lists it in status.leftBehind: {', '.join([*entry.locations, *entry.retained])}"
    )
    return draft.say_farewell(Notice("Warning", "CleanupIncomplete", message)).remove_finalizer()
