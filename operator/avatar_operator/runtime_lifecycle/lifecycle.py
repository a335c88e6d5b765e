"""The life of an AvatarRuntime. Pure.

protection    held before anything is made for it
deletion      first its users go, then its endpoints, then itself
provisioning  endpoints as the spec says; `fold` says what they are
"""

from avatar_api.group import FINALIZER
from avatar_api.meta import ConditionStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed, Draft, Retry, run_phases
from avatar_operator.core.kstatus import at_rest, at_work, stalled
from avatar_operator.runtime_lifecycle.observation import (
    DeleteEndpoints,
    EndpointsDeleted,
    EndpointsSeen,
    EnsureEndpoints,
    RuntimeDraft,
    RuntimeFact,
    RuntimeObservation,
)
from avatar_operator.runtime_readiness import ENDPOINTS_READY

READY = "Ready"
PROVISIONING_LOOK_SECONDS = 3.0
FAILED_LOOK_SECONDS = 30.0


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


def fold(observation: RuntimeObservation, draft: RuntimeDraft, fact: RuntimeFact) -> RuntimeDraft:
    """What the endpoints are, as conditions, or why that cannot be found out. Pure."""
    match fact:
        case EndpointsDeleted(facts=facts):
            if facts.ready:
                return draft.remove_finalizer()
            message = facts.message or "The endpoints are being deleted."
            return set_condition(observation, draft, READY, "False", facts.reason, message).look_again_in(
                PROVISIONING_LOOK_SECONDS
            )
        case EndpointsSeen(facts=facts):
            return _seen(observation, draft, facts)
        case ActionFailed(reason=reason, message=message):
            draft = set_condition(observation, draft, ENDPOINTS_READY, "False", reason, message)
            return draft.retry(fact.as_retry(at_least=1.0))


def _seen(observation: RuntimeObservation, draft: RuntimeDraft, facts: EndpointsFacts) -> RuntimeDraft:
    status: ConditionStatus = "True" if facts.ready else "False"
    draft = set_condition(observation, draft, ENDPOINTS_READY, status, facts.reason, facts.message)
    draft = update_status(draft, endpoints=list(facts.endpoints))
    if facts.failed:
        return draft.retry(Retry(facts.reason, facts.message, FAILED_LOOK_SECONDS))
    return draft if facts.ready else draft.look_again_in(PROVISIONING_LOOK_SECONDS)


def summarise(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """The draft with what follows from the other conditions: Ready, kstatus' two, the state for columns, the generation."""
    draft = update_status(draft, observed_generation=observation.runtime.metadata.generation)
    if observation.runtime.metadata.deletion_timestamp is not None:
        message = "The runtime is being deleted."
        return at_work(observation, update_status(draft, state="Deleting"), "Deleting", message)
    endpoints = find_condition(draft.status.conditions, ENDPOINTS_READY)
    if endpoints is None:
        return update_status(draft, state="Pending")
    draft = set_condition(observation, draft, READY, endpoints.status, endpoints.reason, endpoints.message)
    if endpoints.status == "True":
        return at_rest(observation, update_status(draft, state="Ready"), endpoints.reason)
    if draft.retrying is not None:
        failed = update_status(draft, state="Failed")
        return stalled(observation, failed, endpoints.reason, endpoints.message)
    provisioning = update_status(draft, state="Provisioning")
    return at_work(observation, provisioning, endpoints.reason, endpoints.message)
