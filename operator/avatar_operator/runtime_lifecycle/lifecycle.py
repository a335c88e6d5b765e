"""The life of an AvatarRuntime. Pure.

protection    held before anything is made for it
deletion      first its users go, then its endpoints, then itself
provisioning  endpoints as the spec says; `fold_facts` says what they are
"""

from avatar_api.group import FINALIZER
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Draft, Notice, run_phases
from avatar_operator.runtime_lifecycle.observation import (
    DeleteEndpoints,
    EnsureEndpoints,
    RuntimeDraft,
    RuntimeObservation,
)
from avatar_operator.runtime_readiness import ENDPOINTS_READY

READY = "Ready"
PROVISIONING_LOOK_SECONDS = 3.0


def protection(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    held = FINALIZER in observation.runtime.metadata.finalizers
    if observation.runtime.metadata.deletion_timestamp is not None:
        return draft if held else draft.finish()
    return draft if held else draft.add_finalizer()


def deletion(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Wait for the users: without the runtime nobody could find and remove their data."""
    if observation.runtime.metadata.deletion_timestamp is None:
        return draft
    if observation.users:
        message = f"{observation.users} AvatarModels still use this runtime; it goes when they are gone."
        return set_condition(observation, draft, READY, "False", "InUse", message).finish()
    return draft.act(DeleteEndpoints()).finish()


def provisioning(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Ask for the endpoints at every pass: it is idempotent, and tells what has drifted."""
    return draft.act(EnsureEndpoints())


PHASES = (protection, deletion, provisioning)


def decide(observation: RuntimeObservation) -> RuntimeDraft:
    """What to do about an AvatarRuntime. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.runtime.status))


def fold_facts(observation: RuntimeObservation, draft: RuntimeDraft, facts: EndpointsFacts) -> RuntimeDraft:
    """What the endpoints are, as conditions."""
    was_ready = is_true(draft.status.conditions, ENDPOINTS_READY)
    draft = set_condition(
        observation, draft, ENDPOINTS_READY, "True" if facts.ready else "False", facts.reason, facts.message
    )
    draft = update_status(draft, endpoints=list(facts.endpoints))
    if facts.ready and not was_ready:
        draft = draft.tell(
            Notice("Normal", "EndpointsReady", facts.message or "Every endpoint is in service.")
        )
    if facts.failed:
        return draft.tell(Notice("Warning", facts.reason, facts.message)).retry(at_least=30.0)
    return draft if facts.ready else draft.look_again_in(PROVISIONING_LOOK_SECONDS)


def summarise(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """The draft with what follows from the other conditions: Ready, the state for columns, the generation."""
    draft = update_status(draft, observed_generation=observation.runtime.metadata.generation)
    if observation.runtime.metadata.deletion_timestamp is not None:
        return update_status(draft, state="Deleting")
    endpoints = find_condition(draft.status.conditions, ENDPOINTS_READY)
    if endpoints is None:
        return update_status(draft, state="Pending")
    draft = set_condition(observation, draft, READY, endpoints.status, endpoints.reason, endpoints.message)
    if endpoints.status == "True":
        return update_status(draft, state="Ready")
    return update_status(draft, state="Failed" if draft.retry_at_least is not None else "Provisioning")
