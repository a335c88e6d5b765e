"""The life of an AvatarRequest, as a list. Read it from top to bottom: the first phase that finishes a pass wins it.

protection, deletion      what holds at every time
expiry, deadline          the end of a finished request, and of one that takes too long
resolution, acceptance    with which model, and may it
drawing                   picture by picture, until none is missing
"""

from avatar_api.group import FINALIZER
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import Draft, run_phases
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance
from avatar_operator.request_lifecycle.phases.deadline import deadline
from avatar_operator.request_lifecycle.phases.deletion import deletion
from avatar_operator.request_lifecycle.phases.drawing import drawing
from avatar_operator.request_lifecycle.phases.expiry import expiry
from avatar_operator.request_lifecycle.phases.resolution import resolution


def protection(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    held = FINALIZER in observation.request.metadata.finalizers
    if observation.request.metadata.deletion_timestamp is not None:
        return draft if held else draft.finish()
    return draft if held else draft.add_finalizer()


PHASES = (protection, deletion, expiry, deadline, resolution, acceptance, drawing)


def decide(observation: RequestObservation) -> RequestDraft:
    """What to do about an AvatarRequest. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.request.status))


def summarise(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """The draft with what follows from the rest: the generation, and the state while it goes."""
    draft = update_status(draft, observed_generation=observation.request.metadata.generation)
    if observation.request.metadata.deletion_timestamp is not None:
        return update_status(draft, state="Deleting")
    return draft
