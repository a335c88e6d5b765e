"""Drawing: one invocation a pass for pictures that are missing, until none is.

What has been drawn is told from storage, not remembered: a pass after a crash finds the same pictures there and goes on
with the rest. An invocation is small enough to end within SageMaker's 60 seconds. Whatever may heal is tried again
until the request's deadline, however often; only what the same call can never do ends the request before.
"""

from avatar_api.avatar_request import RequestTimings
from avatar_operator.backends.compute import ModelLoading
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.decision import ActionFailed
from avatar_operator.core.words import counted
from avatar_operator.costs import drawing_cost
from avatar_operator.request_lifecycle.actions import (
    DrawingAnswered,
    DrawPictures,
    RequestAction,
    RequestDraft,
)
from avatar_operator.request_lifecycle.conditions import SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.pictures import draw_call, wanted_pictures

LOADING_RETRY_SECONDS = 2.0


def drawing(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Draw the next missing pictures, or finish."""
    request, runtime, pinned = observation.request, observation.runtime, observation.request.status.model
    assert pinned is not None
    assert runtime is not None
    error = observation.storage_error
    if error is not None:
        if error.retryable:
            return draft.retry(error.as_retry())
        return fail_request(observation, draft, reason=error.reason, message=error.message)
    assert observation.existing is not None
    missing = [
        picture for picture in wanted_pictures(request) if picture.file_name() not in observation.existing
    ]
    if missing:
        chunk = missing[: runtime.spec.limits.inference.pictures_per_invocation]
        return draft.act(DrawPictures(draw_call(runtime, request, pinned, chunk)))
    assert observation.pictures is not None
    count = counted(len(observation.pictures), "picture")
    verb = "lies" if len(observation.pictures) == 1 else "lie"
    message = f"{count} of revision {pinned.revision} {verb} under {request.status.storage_prefix}"
    draft = set_condition(observation, draft, SUCCEEDED, "True", "Drawn", message)
    # A process that has not seen it all would name a fraction of the seconds, and of the cost.
    seen_all = observation.notes.drawn >= {picture.file_name() for picture in wanted_pictures(request)}
    drawn = update_status(
        draft,
        images=list(observation.pictures),
        timings=_timings(observation, seen_all=seen_all),
        estimated_cost=drawing_cost(runtime, observation.notes.generate_seconds) if seen_all else None,
        last_failure=None,
    )
    # Its time to live begins.
    return drawn.look_again_in(0).finish()


def fold_drawing(
    observation: RequestObservation,
    draft: RequestDraft,
    fact: DrawingAnswered | ActionFailed[RequestAction],
) -> RequestDraft:
    """What the endpoint answered."""
    match fact:
        case DrawingAnswered(result=ModelLoading()):
            return draft.look_again_in(LOADING_RETRY_SECONDS)
        case DrawingAnswered():
            return draft.look_again_in(0)
        case ActionFailed(retryable=True):
            return draft.retry(fact.as_retry())
        case ActionFailed():
            return fail_request(observation, draft, reason=fact.reason, message=fact.message)


def _timings(observation: RequestObservation, *, seen_all: bool) -> RequestTimings | None:
    notes, status = observation.notes, observation.request.status
    created = observation.request.metadata.creation_timestamp
    if status.start_time is None or created is None:
        return None
    queued = f"{max(0.0, (status.start_time - created).total_seconds()):.3f}"
    if not seen_all:
        return RequestTimings(queued=queued)
    return RequestTimings(
        queued=queued, cold_load=f"{notes.cold_load_seconds:.3f}", generate=f"{notes.generate_seconds:.3f}"
    )
