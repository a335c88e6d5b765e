"""What a snapshot means, in words: one line for each thing to watch, and whether it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.meta import Condition
from avatar_api.training_status import TrainingProgress
from avatar_demo.observation import Snapshot

REQUEST_SUCCEEDED_EVENT = "dev.avatars.request.succeeded.v1alpha1"


@dataclass(frozen=True)
class Line:
    """One thing to watch.

    Attributes:
        subject: what it is, such as `AvatarModel demo/ann`.
        state: one word.
        detail: the rest.
        done: how much of the present stage is done, 0 to 1, if that is known.
    """

    subject: str
    state: str
    detail: str = ""
    done: float | None = None


@dataclass(frozen=True)
class Trouble:
    """Something that failed.

    Attributes:
        subject: what.
        reason: the condition's reason.
        message: the condition's message.
        may_pass: whether the operator tries again by itself, so that it need not be the end.
    """

    subject: str
    reason: str
    message: str
    may_pass: bool


def narrate(snapshot: Snapshot) -> tuple[Line, ...]:
    """One line for each thing to watch, in the order in which they come to life."""
    lines = []
    if snapshot.runtime is not None:
        lines.append(_runtime_line(snapshot.runtime))
    if snapshot.model is not None:
        lines.append(_model_line(snapshot.model))
    if snapshot.request is not None:
        lines.append(_request_line(snapshot.request, len(snapshot.pictures)))
    if snapshot.events:
        newest = snapshot.events[-1]
        count = f"{len(snapshot.events)} CloudEvent{'s' if len(snapshot.events) > 1 else ''}"
        lines.append(Line("SNS and SQS", count, f"newest: {newest.type} ({newest.subject})"))
    return tuple(lines)


def trouble(snapshot: Snapshot) -> Trouble | None:
    """What has failed, if anything has."""
    for what, condition_type, may_pass in (
        (snapshot.runtime, "Ready", True),
        (snapshot.model, "Ready", False),
        (snapshot.request, "Succeeded", False),
    ):
        if what is not None and what.status.state == "Failed":
            condition = _condition(what, condition_type)
            reason, message = (condition.reason, condition.message) if condition else ("Failed", "")
            return Trouble(_subject(what), reason, message, may_pass)
    return None


def is_complete(snapshot: Snapshot) -> bool:
    """Whether all pictures are there, and the user's application has heard of it."""
    request = snapshot.request
    return (
        request is not None
        and request.status.state == "Succeeded"
        and len(snapshot.pictures) >= len(request.status.images)
        and any(
            event.type == REQUEST_SUCCEEDED_EVENT and event.uid == request.metadata.uid
            for event in snapshot.events
        )
    )


def duration(seconds: float) -> str:
    """Seconds for people: `48 s`, `3 min 05 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


def _runtime_line(runtime: AvatarRuntime) -> Line:
    status = runtime.status
    state = status.state or "Pending"
    ready = _condition(runtime, "Ready")
    if state == "Failed" and ready is not None:
        return Line(_subject(runtime), state, f"{ready.reason}: {ready.message}")
    endpoints = ", ".join(
        f"{endpoint.role.lower()} endpoint {endpoint.state}" for endpoint in status.endpoints
    )
    return Line(_subject(runtime), state, endpoints or "waiting for the operator")


def _model_line(model: AvatarModel) -> Line:
    status = model.status
    state = status.state or "Pending"
    ready = _condition(model, "Ready")
    progress = status.training.progress if status.training else None
    done: float | None = None
    match state:
        case "Pending" | "Failed" | "Suspended" | "Deleting":
            detail = f"{ready.reason}: {ready.message}" if ready else "waiting for the operator"
        case "Queued":
            detail = "queued at the training endpoint"
        case "Preparing":
            detail, done = _progress("photos and class images:", progress)
        case "Training":
            detail, done = _progress("step", progress)
        case "Packaging":
            detail = "writing, checking and uploading the artifact"
        case "Ready":
            detail = _ready_detail(model)
        case _:
            detail = ""
    return Line(_subject(model), state, detail, done)


def _progress(what: str, progress: TrainingProgress | None) -> tuple[str, float | None]:
    if progress is None or not progress.total_steps:
        return "", None
    detail = f"{what} {progress.step} of {progress.total_steps}"
    if progress.estimated_remaining_seconds is not None:
        detail += f", about {duration(progress.estimated_remaining_seconds)} left"
    return detail, progress.step / progress.total_steps


def _ready_detail(model: AvatarModel) -> str:
    status = model.status
    parts = []
    if status.training is not None and status.training.seconds is not None:
        parts.append(f"trained in {duration(status.training.seconds)}")
    if status.photos is not None:
        rejected = len(status.photos.rejected)
        parts.append(f"{status.photos.accepted} photos used" + (f", {rejected} rejected" if rejected else ""))
    if status.artifact is not None:
        parts.append(f"artifact of {status.artifact.size_bytes / 1024:,.0f} KiB verified")
    return ", ".join(parts)


def _request_line(request: AvatarRequest, landed: int) -> Line:
    wanted = sum(prompt.num_images for prompt in request.spec.prompts)
    state = request.status.state or "Pending"
    succeeded = _condition(request, "Succeeded")
    if state == "Failed" and succeeded is not None:
        return Line(_subject(request), state, f"{succeeded.reason}: {succeeded.message}")
    if state == "Pending":
        return Line(_subject(request), state, f"{wanted} pictures wait for the model")
    return Line(_subject(request), state, f"{landed} of {wanted} pictures in S3", landed / wanted)


def _subject(what: AvatarRuntime | AvatarModel | AvatarRequest) -> str:
    return f"{what.kind} {'/'.join(filter(None, (what.metadata.namespace, what.metadata.name)))}"


def _condition(what: AvatarRuntime | AvatarModel | AvatarRequest, kind: str) -> Condition | None:
    return next((condition for condition in what.status.conditions if condition.type == kind), None)
