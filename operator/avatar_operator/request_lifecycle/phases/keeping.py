"""Keeping: pictures that are to outlive their request carry a mark from the moment in which it is finished.

Nobody can leave it later if the runtime goes before the request, or the request by force: whatever has no owner and no
mark is an orphan. A mark that is denied keeps no request beyond its time to live: one that goes is marked, or handed over,
in bounded time (`deletion`).
"""

from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind import folding
from avatar_operator.left_behind.actions import (
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.request_lifecycle.actions import RequestAction, RequestDraft
from avatar_operator.request_lifecycle.conditions import is_finished
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.expiry import expiry_time


def keeping(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Mark the pictures of a finished request, if they shall stay and are not marked yet, or the other way round."""
    request, status = observation.request, draft.status
    due = expiry_time(request)
    if observation.runtime is None or (due is not None and due <= observation.now):
        return draft
    if request.spec.deletion_policy == "Delete":
        return draft if status.retained_time is None else draft.act(UnmarkRetained())
    if status.storage_prefix is None or status.retained_time is not None or not is_finished(status):
        return draft
    return draft.act(MarkRetained())


def fold_mark(
    observation: RequestObservation,
    draft: RequestDraft,
    fact: MarkedRetained | UnmarkedRetained | ActionFailed[RequestAction],
) -> RequestDraft:
    """Whether pictures that shall stay are known to be no orphans."""
    request = observation.request
    marked = request.status.retained_time is not None
    if request.metadata.deletion_timestamp is not None:
        # Nothing else has to be removed.
        draft = draft.remove_finalizer()
    return folding.fold_mark(
        draft,
        fact,
        RecordLeftBehind,
        metadata=request.metadata,
        now=observation.now,
        asked_since=observation.asked_since,
        marked=marked,
    )
