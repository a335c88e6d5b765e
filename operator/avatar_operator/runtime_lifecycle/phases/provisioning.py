"""Provisioning: endpoints as the spec says. They are asked for at every pass, which is idempotent and tells what has drifted."""

from avatar_api.meta import ConditionStatus
from avatar_operator.core.condition_drafts import set_condition, set_lasting_condition, update_status
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed, Retry
from avatar_operator.core.kstatus import at_rest, at_work, stalled
from avatar_operator.runtime_lifecycle.actions import (
    EndpointsSeen,
    EnsureEndpoints,
    RuntimeAction,
    RuntimeDraft,
)
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation
from avatar_operator.runtime_lifecycle.phases.accounting import account
from avatar_operator.runtime_lifecycle.phases.retirement import keep, retire
from avatar_operator.runtime_readiness import ENDPOINTS_READY

LOOK_SECONDS = 3.0


def provisioning(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Ask for the endpoints."""
    return draft.act(EnsureEndpoints())


def fold_endpoints(
    observation: RuntimeObservation, draft: RuntimeDraft, fact: EndpointsSeen | ActionFailed[RuntimeAction]
) -> RuntimeDraft:
    """What the endpoints are, or why that cannot be found out."""
    match fact:
        case EndpointsSeen(facts=facts, former=former, idle=idle):
            status: ConditionStatus = "True" if facts.ready else "False"
            draft = set_condition(observation, draft, ENDPOINTS_READY, status, facts.reason, facts.message)
            draft = update_status(draft, endpoints=list(facts.endpoints))
            if facts.ready:
                draft = retire(observation, at_rest(observation, draft, facts.reason), former)
                draft = account(observation, draft, idle)
                return draft if facts.trouble is None else draft.retry(facts.trouble)
            draft = account(observation, keep(draft, former), idle)
            if facts.failed:
                draft = stalled(observation, draft, facts.reason, facts.message)
                return draft.retry(Retry(facts.reason, facts.message, HOPELESS_PAUSE_SECONDS))
            draft = at_work(observation, draft, facts.reason, facts.message)
            return draft.look_again_in(LOOK_SECONDS)
        case ActionFailed(reason=reason, retryable=retryable):
            draft = set_lasting_condition(observation, draft, ENDPOINTS_READY, "False", reason, fact.message)
            message = _message_of(draft)
            draft = (at_work if retryable else stalled)(observation, draft, reason, message)
            # Where nothing but a person's hand mends it, that hand may touch nothing that we watch.
            return draft.retry(fact.as_retry(hopeless_pause=HOPELESS_PAUSE_SECONDS))


def _message_of(draft: RuntimeDraft) -> str:
    ready = find_condition(draft.status.conditions, ENDPOINTS_READY)
    assert ready is not None
    return ready.message
