"""The life of an AvatarRuntime, as a list. Read it from top to bottom: the first phase that finishes a pass wins it.

protection     held before anything is made for it
trust          what stands in the status and the operator did not write
leftovers      what objects that are gone have left behind
orphans        what was found without an owner
deletion       first its users go, then its endpoints, then itself
notifications  whether its status topic hears what it is told
separation     whether its tenants are apart
acceptance     can it work at all
provisioning   endpoints as the spec says, and an end to those that it names no more

`fold` takes what the actions learned, each to the phase that asked.
"""

from avatar_api.avatar_runtime import AvatarRuntimeStatus, RuntimeState
from avatar_api.meta import Condition
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import STALLED, find_condition, is_true
from avatar_operator.core.decision import ActionFailed, Draft, run_phases
from avatar_operator.core.foreign_status import say_foreign
from avatar_operator.core.kstatus import at_work
from avatar_operator.core.protection import protected
from avatar_operator.runtime_lifecycle.actions import (
    EndpointRetired,
    EndpointsSeen,
    EnsureEndpoints,
    RemovalTried,
    RemoveLeftBehind,
    RetireEndpoint,
    RuntimeDraft,
    RuntimeFact,
)
from avatar_operator.runtime_lifecycle.conditions import ACCEPTED, READY
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation
from avatar_operator.runtime_lifecycle.phases.acceptance import acceptance
from avatar_operator.runtime_lifecycle.phases.deletion import deletion, fold_deletion
from avatar_operator.runtime_lifecycle.phases.leftovers import fold_removal, leftovers
from avatar_operator.runtime_lifecycle.phases.notifications import notifications
from avatar_operator.runtime_lifecycle.phases.orphans import orphans
from avatar_operator.runtime_lifecycle.phases.provisioning import fold_endpoints, provisioning
from avatar_operator.runtime_lifecycle.phases.retirement import fold_retirement
from avatar_operator.runtime_lifecycle.phases.separation import separation
from avatar_operator.runtime_readiness import ENDPOINTS_READY


def protection(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    return protected(observation.runtime.metadata, draft)


def trust(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Say what the status names and the operator cannot have written."""
    return say_foreign(observation, draft, observation.foreign)


PHASES = (
    protection,
    trust,
    leftovers,
    orphans,
    deletion,
    notifications,
    separation,
    acceptance,
    provisioning,
)


def decide(observation: RuntimeObservation) -> RuntimeDraft:
    """What to do about an AvatarRuntime. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.runtime.status))


def fold(observation: RuntimeObservation, draft: RuntimeDraft, fact: RuntimeFact) -> RuntimeDraft:
    """What an action learned, or what its failure means. Pure."""
    if isinstance(fact, ActionFailed):
        # The platform team reads this object, and mends what stands there.
        fact = fact.told_in_full()
    match fact:
        case EndpointsSeen() | ActionFailed(action=EnsureEndpoints()):
            return fold_endpoints(observation, draft, fact)
        case EndpointRetired() | ActionFailed(action=RetireEndpoint()):
            return fold_retirement(draft, fact)
        case RemovalTried() | ActionFailed(action=RemoveLeftBehind()):
            return fold_removal(observation, draft, fact)
        case _:
            return fold_deletion(observation, draft, fact)


def summarise(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """The draft with what follows from the other conditions: Ready, the state for columns, the generation."""
    draft = update_status(draft, observed_generation=observation.runtime.metadata.generation)
    deleting = observation.runtime.metadata.deletion_timestamp is not None
    if deleting:
        draft = _going(observation, draft)
    else:
        deciding = _deciding(draft.status)
        if deciding is not None:
            draft = set_condition(
                observation, draft, READY, deciding.status, deciding.reason, deciding.message
            )
    return update_status(draft, state=state_of(draft.status, deleting=deleting))


def _going(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    ready = find_condition(draft.status.conditions, READY)
    if ready is None or ready.status != "False":
        return at_work(observation, draft, "Deleting", "The runtime is being deleted.")
    return at_work(observation, draft, ready.reason, ready.message)


def _deciding(status: AvatarRuntimeStatus) -> Condition | None:
    """The condition that says whether the runtime can be used."""
    accepted = find_condition(status.conditions, ACCEPTED)
    if accepted is not None and accepted.status == "False":
        return accepted
    return find_condition(status.conditions, ENDPOINTS_READY)


def state_of(status: AvatarRuntimeStatus, *, deleting: bool) -> RuntimeState:
    """One word for columns."""
    if deleting:
        return "Deleting"
    if find_condition(status.conditions, READY) is None:
        return "Pending"
    if is_true(status.conditions, READY):
        return "Ready"
    return "Failed" if is_true(status.conditions, STALLED) else "Provisioning"
