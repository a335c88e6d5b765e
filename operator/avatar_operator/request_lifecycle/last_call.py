"""Until when a picture may still come: a call that was never answered may be drawing. Pure."""

from datetime import datetime, timedelta

from avatar_operator.core.conditions import find_condition
from avatar_operator.left_behind.last_removal import LONGEST_CALL_SECONDS
from avatar_operator.request_lifecycle.conditions import SUCCEEDED, is_finished
from avatar_operator.request_lifecycle.observation import RequestObservation


def calls_have_ended(observation: RequestObservation) -> datetime:
    """When no call of a request's can be drawing any more; the request is finished, or going."""
    request = observation.request
    if observation.notes.all_answered:
        return observation.now
    succeeded = find_condition(request.status.conditions, SUCCEEDED)
    last_call = request.metadata.deletion_timestamp or observation.now
    if succeeded is not None and is_finished(request.status):
        last_call = min(last_call, succeeded.last_transition_time)
    return last_call + timedelta(seconds=LONGEST_CALL_SECONDS)
