"""Vacancy: a request that failed before anything was drawn has nothing to remove, and keeps no runtime from going.

That drawing began is written down before the first call, and what became of the calls nobody knows better than the storage. So
it is asked once nobody can be drawing any more, for old versions and unfinished uploads, too: what is not removed with the
request then, nobody removes. What has been drawn of a request that failed stays with it, as ever.
"""

from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind.folding import MARK_AGAIN_SECONDS
from avatar_operator.request_lifecycle.actions import (
    LookForPictures,
    PicturesLookedFor,
    RequestAction,
    RequestDraft,
)
from avatar_operator.request_lifecycle.conditions import has_failed
from avatar_operator.request_lifecycle.last_call import calls_have_ended
from avatar_operator.request_lifecycle.observation import RequestObservation


def vacancy(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Look whether a request that has failed stored anything, once for each process."""
    request, status = observation.request, draft.status
    if (
        observation.runtime is None
        or status.storage_prefix is None
        or not has_failed(status)
        # What is to stay is marked, drawn or not, and that suffices (`keeping`).
        or request.spec.deletion_policy != "Delete"
        or observation.notes.holds_pictures
    ):
        return draft
    ended = calls_have_ended(observation)
    if observation.now < ended:
        return draft.look_again_in((ended - observation.now).total_seconds())
    return draft.act(LookForPictures())


def fold_look(draft: RequestDraft, fact: PicturesLookedFor | ActionFailed[RequestAction]) -> RequestDraft:
    """Whether there is anything that must be removed with the request."""
    match fact:
        case PicturesLookedFor(found=True):
            return draft
        case PicturesLookedFor():
            return update_status(draft, storage_prefix=None)
        case ActionFailed():
            return draft.retry(fact.as_retry(hopeless_pause=MARK_AGAIN_SECONDS))
