"""Drawing: one invocation a pass for pictures that are missing, until none is.

What has been drawn is told from storage, not remembered: a pass after a crash finds the same pictures there and goes on
with the rest. An invocation is small enough to end within SageMaker's 60 seconds.
"""

from avatar_api.avatar_request import RequestTimings
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.decision import Notice
from avatar_operator.request_lifecycle.actions import DrawPictures, RequestDraft
from avatar_operator.request_lifecycle.conditions import SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import DrawingNotes, RequestObservation
from avatar_operator.request_lifecycle.pictures import draw_call, wanted_pictures

REQUEST_SUCCEEDED = "dev.avatars.request.succeeded.v1alpha1"


def drawing(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Draw the next missing pictures, or finish."""
    request, model, runtime = observation.request, observation.model, observation.runtime
    assert model is not None
    assert model.status.artifact is not None
    assert runtime is not None
    error = observation.storage_error
    if error is not None:
        if error.retryable:
            return draft.retry(at_least=error.retry_after or 0.0)
        return fail_request(observation, draft, reason=error.reason, message=error.message)
    assert observation.existing is not None
    missing = [
        picture for picture in wanted_pictures(request) if picture.file_name() not in observation.existing
    ]
    if missing:
        chunk = missing[: runtime.spec.limits.inference.pictures_per_invocation]
        return draft.act(DrawPictures(draw_call(runtime, request, model.status.artifact.target_model, chunk)))
    assert observation.pictures is not None
    message = f"{len(observation.pictures)} pictures lie under {request.status.storage_prefix}"
    draft = set_condition(observation, draft, SUCCEEDED, "True", "Drawn", message)
    draft = update_status(
        draft,
        state="Succeeded",
        images=list(observation.pictures),
        timings=_timings(observation),
        last_failure=None,
    )
    return draft.tell(Notice("Normal", "PicturesDrawn", message, announce=REQUEST_SUCCEEDED)).finish()


def _timings(observation: RequestObservation) -> RequestTimings | None:
    notes, created = observation.notes, observation.request.metadata.creation_timestamp
    if notes == DrawingNotes() or notes.started is None or created is None:
        return None
    return RequestTimings(
        queued=f"{max(0.0, (notes.started - created).total_seconds()):.3f}",
        cold_load=f"{notes.cold_load_seconds:.3f}",
        generate=f"{notes.generate_seconds:.3f}",
    )
