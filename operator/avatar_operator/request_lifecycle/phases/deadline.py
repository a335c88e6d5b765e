"""Deadline: a request that waits or draws for too long fails, and says what it last waited for.

Waiting and drawing have a deadline each: a training takes as long as it takes, and must not eat the time for drawing.
Pictures that are all there by then are taken as they are: the operator may have been away when the last one came.
A request whose model does not exist has no runtime to give it a limit; it waits as long as the most patient runtime of
its namespace allows.
"""

from datetime import datetime, timedelta

from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation


def deadline(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Fail an overdue request; otherwise look again when it will be."""
    started = observation.request.status.start_time
    began, allowed = _waiting(observation) if started is None else (started, _drawing(observation))
    if began is None or observation.pictures is not None:
        return draft
    due = began + timedelta(seconds=allowed)
    if observation.now < due:
        return draft.look_again_in((due - observation.now).total_seconds())
    if started is None:
        reason, message = "QueueDeadlineExceeded", f"Drawing did not begin within {allowed} s."
    else:
        reason, message = "DeadlineExceeded", f"The pictures were not drawn within {allowed} s."
    return fail_request(observation, draft, reason=reason, message=f"{message}{_last_seen(observation)}")


def _waiting(observation: RequestObservation) -> tuple[datetime | None, int]:
    limit = observation.queue_limit_seconds
    wanted = observation.request.spec.queue_deadline_seconds or limit
    return observation.request.metadata.creation_timestamp, min(wanted, limit)


def _drawing(observation: RequestObservation) -> int:
    wanted, runtime = observation.request.spec.active_deadline_seconds, observation.runtime
    if runtime is None:
        return wanted or observation.queue_limit_seconds
    limit = runtime.spec.limits.inference.active_deadline_seconds
    return min(wanted or limit, limit)


def _last_seen(observation: RequestObservation) -> str:
    trouble = observation.storage_error or observation.notes.trouble
    if trouble is not None:
        return f" The last try: {trouble.message}"
    waiting = find_condition(observation.request.status.conditions, SUCCEEDED)
    return (
        f" It waited: {waiting.message}"
        if waiting is not None and observation.request.status.start_time is None
        else ""
    )
