"""Deletion: first the users go, then the endpoints, then the runtime itself."""

from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.decision import ActionFailed
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointsDeleted,
    RuntimeAction,
    RuntimeDraft,
)
from avatar_operator.runtime_lifecycle.conditions import READY
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

LOOK_SECONDS = 3.0


def deletion(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Wait for the users: without the runtime nobody could find and remove their data."""
    if observation.runtime.metadata.deletion_timestamp is None:
        return draft
    if observation.users:
        message = f"{observation.users} AvatarModels still use this runtime; it goes when they are gone."
        return set_condition(observation, draft, READY, "False", "InUse", message).finish()
    return draft.act(DeleteEndpoints()).finish()


def fold_deletion(
    observation: RuntimeObservation, draft: RuntimeDraft, fact: EndpointsDeleted | ActionFailed[RuntimeAction]
) -> RuntimeDraft:
    """What is left of the endpoints."""
    match fact:
        case EndpointsDeleted(facts=facts) if facts.ready:
            return draft.remove_finalizer()
        case EndpointsDeleted(facts=facts):
            message = facts.message or "The endpoints are being deleted."
            draft = set_condition(observation, draft, READY, "False", facts.reason, message)
            return draft.look_again_in(LOOK_SECONDS)
        case ActionFailed(reason=reason, message=message):
            draft = set_condition(observation, draft, READY, "False", reason, message)
            return draft.retry(fact.as_retry(at_least=1.0))
