"""Keeping: pictures that are to outlive their request carry a mark from the moment in which it is finished.

Nobody can leave it later if the runtime goes before the request, or the request by force: whatever has no owner and no
mark is an orphan.
"""

from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind import settle_mark, try_mark_again, unmarked
from avatar_operator.request_lifecycle.actions import (
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    RequestAction,
    RequestDraft,
)
from avatar_operator.request_lifecycle.conditions import is_finished
from avatar_operator.request_lifecycle.observation import RequestObservation, going_seconds


def keeping(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Mark the pictures of a finished request, if they shall stay and are not marked yet."""
    request, status = observation.request, draft.status
    if request.spec.deletion_policy == "Delete" or observation.runtime is None:
        return draft
    if status.storage_prefix is None or status.retained_time is not None or not is_finished(status):
        return draft
    return draft.act(MarkRetained())


def fold_mark(
    observation: RequestObservation, draft: RequestDraft, fact: MarkedRetained | ActionFailed[RequestAction]
) -> RequestDraft:
    """Whether pictures that shall stay are known to be no orphans."""
    going = observation.request.metadata.deletion_timestamp is not None
    match fact:
        case MarkedRetained():
            return draft.remove_finalizer() if going else update_status(draft, retained_time=observation.now)
        case ActionFailed() if not going:
            return try_mark_again(draft, fact)
        case ActionFailed():
            return settle_mark(
                draft.remove_finalizer(),
                fact,
                RecordLeftBehind(unmarked(fact.message)),
                age=going_seconds(observation),
                marked=observation.request.status.retained_time is not None,
            )
