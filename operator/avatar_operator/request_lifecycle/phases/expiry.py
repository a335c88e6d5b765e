"""Expiry: a finished request changes no more; one with a time to live deletes itself when that is over."""

from datetime import datetime, timedelta

from avatar_api.avatar_request import AvatarRequest
from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import SUCCEEDED, is_finished
from avatar_operator.request_lifecycle.observation import RequestObservation


def expiry(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Stop here if the request is finished, and delete it if it is expired."""
    request = observation.request
    if not is_finished(request.status):
        return draft
    due = expiry_time(request)
    if due is None:
        return draft.finish()
    if observation.now < due:
        return draft.look_again_in((due - observation.now).total_seconds()).finish()
    return draft.delete().finish()


def expiry_time(request: AvatarRequest) -> datetime | None:
    """When a request deletes itself; None if it does not, or is not finished."""
    keep = request.spec.ttl_seconds_after_finished
    succeeded = find_condition(request.status.conditions, SUCCEEDED)
    if keep is None or succeeded is None or not is_finished(request.status):
        return None
    return succeeded.last_transition_time + timedelta(seconds=keep)
