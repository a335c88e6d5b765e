"""What stays when an object goes: handed over to its runtime, which remembers it and goes on trying.

An object that is being deleted is not held for ever by what cannot be removed. But once it is gone nobody else knows what
lies there, and it may be somebody's likeness. So the object is let go only when its runtime's `status.leftBehind` names
its directories. That status has one writer, the runtime's own reconcile; the deleting object's reconcile puts an entry
into the register here, the runtime's next pass writes it, and the object's next pass finds it there and lets go. A
crash in between loses nothing: the object still has its finalizer, and hands its entry in again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus, LeftBehind
from avatar_operator.core.decision import ActionFailed, Draft, Notice, Retry
from avatar_operator.locations import (
    MODEL,
    REQUEST,
    OwnedDirectory,
    OwnerKind,
    model_directories,
    picture_prefix,
)

CLEANUP_PATIENCE_SECONDS = 600
"""For so long an object that is being deleted tries to remove its data itself."""
RECORDING_PATIENCE_SECONDS = 3600
"""For so long it waits, after that, for its runtime to take over. A runtime that this version cannot read never does."""
RECORDING_LOOK_SECONDS = 2.0
MARK_AGAIN_SECONDS = 300.0
"""How often a mark is tried that is denied, while the object lives."""

StatusT = TypeVar("StatusT")
ActionT = TypeVar("ActionT")


class LeftBehindRegister:
    """Entries on their way into the status of their runtimes.

    Args:
        on_entry: called with the name of a runtime that has to look at what waits for it.
    """

    def __init__(self, on_entry: Callable[[str], None]) -> None:
        self._on_entry = on_entry
        self._waiting: dict[str, dict[str, LeftBehind]] = {}

    def hand_over(self, runtime_name: str, entry: LeftBehind) -> None:
        """Have a runtime take over what an object leaves behind."""
        self._waiting.setdefault(runtime_name, {})[entry.uid] = entry
        self._on_entry(runtime_name)

    def waiting(self, runtime_name: str) -> tuple[LeftBehind, ...]:
        """The entries that a runtime has not written yet."""
        return tuple(self._waiting.get(runtime_name, {}).values())

    def written(self, runtime_name: str, status: AvatarRuntimeStatus) -> None:
        """A runtime's status stands in the API server: what it names does not wait any more."""
        waiting = self._waiting.get(runtime_name, {})
        for entry in status.left_behind:
            waiting.pop(entry.uid, None)
        if not waiting:
            self._waiting.pop(runtime_name, None)


def is_recorded(runtime: AvatarRuntime, uid: str) -> bool:
    """Whether a runtime has taken over what an object leaves behind."""
    return any(entry.uid == uid for entry in runtime.status.left_behind)


def left_by_model(runtime: AvatarRuntime, model: AvatarModel, now: datetime) -> LeftBehind:
    """The entry for a model: every directory that may hold something which was to be removed with it, or is to stay unmarked."""
    metadata, directories = model.metadata, model_directories(runtime, model)
    stays = model.spec.deletion_policy != "Delete"
    # Prefixes may be the same.
    locations = dict.fromkeys(
        [*directories.documents, *directories.outcomes, *(() if stays else directories.artifacts)]
    )
    return LeftBehind(
        kind=model.kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        locations=list(locations),
        retained=list(directories.artifacts) if stays and model.status.retained_time is None else [],
        since=now,
        tries=0,
    )


def left_by_request(runtime: AvatarRuntime, request: AvatarRequest, now: datetime) -> LeftBehind:
    """The entry for a request: the directory of its pictures."""
    metadata, prefix = request.metadata, picture_prefix(runtime, request)
    stays = request.spec.deletion_policy != "Delete"
    return LeftBehind(
        kind=request.kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        locations=[] if stays else [prefix],
        retained=[prefix] if stays else [],
        since=now,
        tries=0,
    )


def directories_of(entry: LeftBehind, locations: Sequence[str]) -> list[OwnedDirectory]:
    """Some locations of an entry, as storage knows them. Entries of kinds that this version does not know have none."""
    kinds: dict[str, OwnerKind] = {MODEL: MODEL, REQUEST: REQUEST}
    kind = kinds.get(entry.kind)
    if kind is None:
        return []
    return [OwnedDirectory(entry.namespace, entry.uid, kind, location) for location in locations]


def settle_remains(
    draft: Draft[StatusT, ActionT], record: ActionT, *, age: float, remains: str, retry: Retry
) -> Draft[StatusT, ActionT]:
    """The draft of an object that is being deleted and could not remove everything. Pure.

    Args:
        draft: the draft.
        record: the action that hands over what remains.
        age: for how many seconds the object has been going.
        remains: what remains, in words.
        retry: how to try again.
    """
    if age < CLEANUP_PATIENCE_SECONDS:
        return draft.retry(Retry(retry.reason, remains, retry.at_least))
    if age < CLEANUP_PATIENCE_SECONDS + RECORDING_PATIENCE_SECONDS:
        return draft.act(record)
    return draft.say_farewell(Notice("Warning", "CleanupIncomplete", remains)).remove_finalizer()


def try_mark_again(draft: Draft[StatusT, ActionT], failure: ActionFailed[ActionT]) -> Draft[StatusT, ActionT]:
    """The draft of an object that lives and whose data shall stay, but could not be marked so. Pure."""
    return draft.retry(failure.as_retry(at_least=0.0 if failure.retryable else MARK_AGAIN_SECONDS))


def settle_mark(
    draft: Draft[StatusT, ActionT],
    failure: ActionFailed[ActionT],
    record: ActionT,
    *,
    age: float,
    marked: bool,
) -> Draft[StatusT, ActionT]:
    """The draft of an object that is being deleted and whose data shall stay, but could not be marked so. Pure.

    Args:
        draft: the draft.
        failure: why the mark could not be left.
        record: the action that hands over what is not marked.
        age: for how many seconds the object has been going.
        marked: whether the mark was left while the object lived.
    """
    if marked:
        return draft
    if age < CLEANUP_PATIENCE_SECONDS:
        return draft.retry(failure.as_retry())
    if age < CLEANUP_PATIENCE_SECONDS + RECORDING_PATIENCE_SECONDS:
        return draft.act(record)
    return draft.say_farewell(Notice("Warning", "RetainedUnmarked", unmarked(failure.message)))


def unmarked(why: str) -> str:
    """What is said of data that shall stay and could not be marked so."""
    return f"What is retained could not be marked so, and may be taken for an orphan: {why}"


def handed_over(draft: Draft[StatusT, ActionT], remains: str) -> Draft[StatusT, ActionT]:
    """The draft of an object whose runtime has been asked to take over what remains. Pure."""
    return draft.retry(Retry("CleanupIncomplete", remains, RECORDING_LOOK_SECONDS))


def let_go(draft: Draft[StatusT, ActionT], runtime: AvatarRuntime, uid: str) -> Draft[StatusT, ActionT]:
    """The draft of an object whose runtime has taken over what it leaves behind. Pure."""
    entry = next(entry for entry in runtime.status.left_behind if entry.uid == uid)
    message = (
        f"Not everything could be removed, or marked as retained, in time. AvatarRuntime {runtime.metadata.name} goes on"
        f" trying, and lists it in status.leftBehind: {', '.join([*entry.locations, *entry.retained])}"
    )
    return draft.say_farewell(Notice("Warning", "CleanupIncomplete", message)).remove_finalizer()
