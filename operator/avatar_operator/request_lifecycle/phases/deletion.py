"""Deletion: the pictures go with their request, unless it says Retain. In bounded time."""

from avatar_operator.core.decision import ActionFailed, Notice, Retry
from avatar_operator.request_lifecycle.actions import (
    DeletePictures,
    PicturesDeleted,
    RequestAction,
    RequestDraft,
)
from avatar_operator.request_lifecycle.observation import RequestObservation

CLEANUP_PATIENCE_SECONDS = 600


def deletion(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Remove the pictures, then let the request go."""
    request = observation.request
    if request.metadata.deletion_timestamp is None:
        return draft
    if request.spec.deletion_policy != "Delete" or request.status.storage_prefix is None:
        return draft.remove_finalizer().finish()
    if observation.runtime is None:
        message = (
            f"AvatarRuntime {request.status.runtime_name} is gone, so nobody has access to its storage;"
            f" whatever lies under {request.status.storage_prefix} has been left there."
        )
        notice = Notice("Warning", "CleanupImpossible", message)
        return draft.say_farewell(notice).remove_finalizer().finish()
    return draft.act(DeletePictures()).finish()


def fold_cleanup(
    observation: RequestObservation,
    draft: RequestDraft,
    fact: PicturesDeleted | ActionFailed[RequestAction],
) -> RequestDraft:
    """What is left of the pictures."""
    match fact:
        case PicturesDeleted(report=report):
            remains, retry = "; ".join(report.left_behind), Retry("CleanupIncomplete", "")
        case ActionFailed(message=message):
            remains, retry = message, fact.as_retry()
    if not remains:
        return draft.remove_finalizer()
    explanation = f"Not everything could be removed: {remains}"
    since = observation.request.metadata.deletion_timestamp
    assert since is not None
    if (observation.now - since).total_seconds() < CLEANUP_PATIENCE_SECONDS:
        return draft.retry(Retry(retry.reason, explanation, retry.at_least))
    return draft.say_farewell(Notice("Warning", "CleanupIncomplete", explanation)).remove_finalizer()
