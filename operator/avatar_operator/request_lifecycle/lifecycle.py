"""The life of an AvatarRequest, as a list. Read it from top to bottom: the first phase that finishes a pass wins it.

protection, trust,        what holds at every time
deletion
vacancy, keeping, expiry  the end of a finished request
deadline                  the end of one that waits or draws for too long
resolution, acceptance    with which artifact, and may it: from then on with no other
drawing                   picture by picture, until none is missing

`fold` takes what the actions learned, each to the phase that asked.
"""

from avatar_api.avatar_request import AvatarRequestStatus, RequestState
from avatar_api.meta import ConditionStatus
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed, Draft, run_phases
from avatar_operator.core.foreign_status import say_foreign
from avatar_operator.core.kstatus import at_rest, at_work, stalled
from avatar_operator.core.protection import protected
from avatar_operator.left_behind.actions import MarkedRetained, MarkRetained, UnmarkedRetained, UnmarkRetained
from avatar_operator.request_lifecycle.actions import (
    DrawingAnswered,
    DrawPictures,
    LookForPictures,
    PicturesLookedFor,
    RequestDraft,
    RequestFact,
)
from avatar_operator.request_lifecycle.conditions import READY, SUCCEEDED, is_drawing
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance
from avatar_operator.request_lifecycle.phases.deadline import deadline
from avatar_operator.request_lifecycle.phases.deletion import deletion, fold_cleanup
from avatar_operator.request_lifecycle.phases.drawing import drawing, fold_drawing
from avatar_operator.request_lifecycle.phases.expiry import expiry
from avatar_operator.request_lifecycle.phases.keeping import fold_mark, keeping
from avatar_operator.request_lifecycle.phases.resolution import resolution
from avatar_operator.request_lifecycle.phases.vacancy import fold_look, vacancy


def protection(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    return protected(observation.request.metadata, draft)


def trust(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Say what the status names and the operator cannot have written."""
    return say_foreign(observation, draft, observation.foreign)


PHASES = (protection, trust, deletion, vacancy, keeping, expiry, deadline, resolution, acceptance, drawing)


def decide(observation: RequestObservation) -> RequestDraft:
    """What to do about an AvatarRequest. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.request.status))


def fold(observation: RequestObservation, draft: RequestDraft, fact: RequestFact) -> RequestDraft:
    """What an action learned, or what its failure means. Pure."""
    match fact:
        case DrawingAnswered() | ActionFailed(action=DrawPictures()):
            return fold_drawing(observation, draft, fact)
        case PicturesLookedFor() | ActionFailed(action=LookForPictures()):
            return fold_look(draft, fact)
        case MarkedRetained() | UnmarkedRetained() | ActionFailed(action=MarkRetained() | UnmarkRetained()):
            return fold_mark(observation, draft, fact)
        case _:
            return fold_cleanup(observation, draft, fact)


def summarise(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """The draft with what follows from Succeeded: Ready, kstatus' two, the state for columns, the generation."""
    deleting = observation.request.metadata.deletion_timestamp is not None
    draft = update_status(
        draft,
        observed_generation=observation.request.metadata.generation,
        state=state_of(draft.status, deleting=deleting),
    )
    if deleting:
        return at_work(observation, draft, "Deleting", "The request and its pictures are being deleted.")
    succeeded = find_condition(draft.status.conditions, SUCCEEDED)
    if succeeded is None:
        return draft
    ready: ConditionStatus = "True" if succeeded.status == "True" else "False"
    draft = set_condition(observation, draft, READY, ready, succeeded.reason, succeeded.message)
    match succeeded.status:
        case "True":
            return at_rest(observation, draft, succeeded.reason)
        case "False":
            return stalled(observation, draft, succeeded.reason, succeeded.message)
        case _:
            return at_work(observation, draft, succeeded.reason, succeeded.message)


def state_of(status: AvatarRequestStatus, *, deleting: bool) -> RequestState:
    """One word for columns."""
    succeeded = find_condition(status.conditions, SUCCEEDED)
    if deleting:
        return "Deleting"
    if succeeded is not None and succeeded.status == "True":
        return "Succeeded"
    if succeeded is not None and succeeded.status == "False":
        return "Failed"
    return "Running" if is_drawing(status) else "Pending"
