"""Deadline: a request that takes too long fails, waiting for its model included."""

from datetime import timedelta

from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation


def deadline(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Fail an overdue request; otherwise look again when it will be."""
    request, runtime = observation.request, observation.runtime
    allowed = request.spec.active_deadline_seconds
    if allowed is None and runtime is not None:
        allowed = runtime.spec.limits.inference.active_deadline_seconds
    if allowed is None or request.metadata.creation_timestamp is None:
        return draft
    due = request.metadata.creation_timestamp + timedelta(seconds=allowed)
    if observation.now < due:
        return draft.look_again_in((due - observation.now).total_seconds())
    return fail_request(
        observation,
        draft,
        reason="DeadlineExceeded",
        message=f"The request did not end within {allowed} s, waiting for its model included.",
    )
