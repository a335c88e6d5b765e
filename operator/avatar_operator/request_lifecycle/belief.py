"""How much of an AvatarRequest's status can be true. Pure.

The artifact that a request has pinned is judged by `resolution`, since nothing else may be drawn with. Here is the rest:
what can be derived is, and what the operator cannot have written is said. docs/security/status-fields.md goes through every field.
"""

from datetime import datetime, timedelta

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_operator.core.foreign_status import AHEAD_SECONDS, Belief
from avatar_operator.own_places import is_own_directory


def believed(request: AvatarRequest, model: AvatarModel | None, now: datetime) -> Belief[AvatarRequestStatus]:
    """What of a request's status can be the operator's own memory.

    Args:
        request: as the API server has it.
        model: that it names, or None if there is none, or nobody needs it any more.
        now: the instant.
    """
    status = request.status
    foreign: list[str] = []
    pinned = status.model
    if (
        model is not None
        and pinned is not None
        and pinned.uid == model.metadata.uid
        and status.runtime_name != model.spec.runtime_ref.name
    ):
        # A model's runtime cannot change once anything was trained.
        foreign.append("status.runtimeName")
        status = status.model_copy(update={"runtime_name": model.spec.runtime_ref.name})
    if status.storage_prefix is not None and not _is_own_prefix(request, status.storage_prefix):
        # That something was stored stays known; where, is derived.
        foreign.append("status.storagePrefix")
    if status.start_time is not None and status.start_time - now > timedelta(seconds=AHEAD_SECONDS):
        foreign.append("status.startTime, a time in the future")
        status = status.model_copy(update={"start_time": now})
    return Belief(status, tuple(foreign))


def _is_own_prefix(request: AvatarRequest, recorded: str) -> bool:
    metadata = request.metadata
    if request.spec.output is not None:
        return recorded == f"{request.spec.output.prefix}{metadata.uid}/"
    return is_own_directory(recorded, metadata.namespace, metadata.uid)
