"""Deletion: the pictures go with their request, unless it says Retain. In bounded time.

A call that was never answered may still be drawing, and would store its pictures after everything was removed. So where
one may be under way (it timed out, or another process has called), the request is held until it must have ended, and
what it stored by then is removed as well.

What cannot be removed in time the runtime takes over, and only when it says so is the request let go (`left_behind`).
"""

from avatar_operator.core.decision import ActionFailed, Notice
from avatar_operator.left_behind import folding
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkRetained,
    RecordLeftBehind,
)
from avatar_operator.left_behind.entries import is_recorded
from avatar_operator.left_behind.folding import let_go
from avatar_operator.request_lifecycle.actions import DeletePictures, RequestAction, RequestDraft
from avatar_operator.request_lifecycle.last_call import calls_have_ended
from avatar_operator.request_lifecycle.observation import RequestObservation


def deletion(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Remove the pictures, then let the request go."""
    request = observation.request
    if request.metadata.deletion_timestamp is None:
        return draft
    if request.status.storage_prefix is None:
        return draft.remove_finalizer().finish()
    stays = request.spec.deletion_policy != "Delete"
    if stays and observation.runtime is None:
        return draft.remove_finalizer().finish()
    if observation.runtime is None:
        message = (
            f"AvatarRuntime {request.status.runtime_name} is gone, so nobody has access to its storage;"
            f" whatever lies under {request.status.storage_prefix} has been left there."
        )
        notice = Notice("Warning", "CleanupImpossible", message)
        return draft.say_farewell(notice).remove_finalizer().finish()
    if is_recorded(observation.runtime, request.metadata.uid):
        return let_go(draft, observation.runtime, request.metadata.uid).finish()
    return draft.act(MarkRetained() if stays else DeletePictures()).finish()


def fold_cleanup(
    observation: RequestObservation,
    draft: RequestDraft,
    fact: DataDeleted | LeftBehindHandedOver | ActionFailed[RequestAction],
) -> RequestDraft:
    """What is left of the pictures."""
    if isinstance(fact, DataDeleted) and not fact.report.left_behind:
        ended = calls_have_ended(observation)
        if observation.now < ended:
            return draft.look_again_in((ended - observation.now).total_seconds())
    return folding.fold_cleanup(
        draft,
        fact,
        RecordLeftBehind,
        metadata=observation.request.metadata,
        now=observation.now,
        asked_since=observation.asked_since,
    )
