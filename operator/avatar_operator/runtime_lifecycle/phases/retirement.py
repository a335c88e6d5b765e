"""Retirement: an endpoint that the spec names no more is deleted once nothing can be at work there.

Its successor serves first. Trainings end where they were submitted to; a training that was planned before the change
may have been submitted there without anybody knowing yet. Draws are short, but one may just be under way. Until then the
endpoint stays in the status, so that no crash makes anybody forget what costs money.
"""

from datetime import datetime

from avatar_api.avatar_runtime import EndpointStatus
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed
from avatar_operator.runtime_lifecycle.actions import (
    EndpointRetired,
    FormerEndpoint,
    RetireEndpoint,
    RuntimeAction,
    RuntimeDraft,
)
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

DRAWING_GRACE_SECONDS = 120
"""More than the longest call, and the pass that began it."""
WAITING_LOOK_SECONDS = 30.0
GOING_LOOK_SECONDS = 3.0
MAX_FORMER = 6
"""What the schema of the status takes beside the two that serve. Of more the oldest are left to the search for orphans."""


def retire(
    observation: RuntimeObservation, draft: RuntimeDraft, former: tuple[FormerEndpoint, ...]
) -> RuntimeDraft:
    """Have endpoints deleted that the spec names no more and where nothing is at work; keep the others in mind.

    Args:
        observation: the runtime and its work.
        draft: the draft; its status names the endpoints that serve.
        former: the endpoints that the spec names no more.
    """
    if not former:
        return draft
    draft = keep(draft, former)
    free = [endpoint for endpoint in former if is_free(observation, endpoint)]
    return draft.act(*(RetireEndpoint(endpoint.status) for endpoint in free)).look_again_in(
        WAITING_LOOK_SECONDS
    )


def keep(draft: RuntimeDraft, former: tuple[FormerEndpoint, ...]) -> RuntimeDraft:
    """The draft whose status names the former endpoints, too."""
    kept = [endpoint.status for endpoint in former][-MAX_FORMER:]
    return update_status(draft, endpoints=[*draft.status.endpoints, *kept])


def is_free(observation: RuntimeObservation, endpoint: FormerEndpoint) -> bool:
    """Whether nothing can be at work at an endpoint that the spec names no more."""
    if endpoint.status.role == "Training":
        return not any(
            attempt.endpoint_name == endpoint.status.name
            if attempt.endpoint_name is not None
            else _was_planned_before(attempt.planned, endpoint.since)
            for attempt in observation.work.attempts
        )
    return (observation.now - endpoint.since).total_seconds() >= DRAWING_GRACE_SECONDS


def _was_planned_before(planned: datetime | None, change: datetime) -> bool:
    return planned is None or planned <= change


def fold_retirement(draft: RuntimeDraft, fact: EndpointRetired | ActionFailed[RuntimeAction]) -> RuntimeDraft:
    """Cross off an endpoint that is gone."""
    match fact:
        case EndpointRetired(endpoint=endpoint, facts=facts) if facts.ready:
            return update_status(draft, endpoints=_without(draft, endpoint))
        case EndpointRetired(endpoint=endpoint, facts=facts):
            endpoints = [*_without(draft, endpoint), *facts.endpoints]
            return update_status(draft, endpoints=endpoints).look_again_in(GOING_LOOK_SECONDS)
        case ActionFailed():
            return draft.retry(fact.as_retry(hopeless_pause=HOPELESS_PAUSE_SECONDS))


def _without(draft: RuntimeDraft, gone: EndpointStatus) -> list[EndpointStatus]:
    return [
        endpoint
        for endpoint in draft.status.endpoints
        if (endpoint.role, endpoint.name) != (gone.role, gone.name)
    ]
