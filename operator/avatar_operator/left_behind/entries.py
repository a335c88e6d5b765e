"""What an object leaves behind, as its runtime's status has it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind
from avatar_operator.locations import (
    MODEL,
    REQUEST,
    OwnedDirectory,
    OwnerKind,
    model_directories,
    picture_prefix,
)


def is_recorded(runtime: AvatarRuntime, uid: str) -> bool:
    """Whether a runtime has taken over what an object leaves behind."""
    return any(entry.uid == uid for entry in runtime.status.left_behind)


def has_stored(model: AvatarModel) -> bool:
    """Whether anything may be stored for a model: an attempt was planned once."""
    training = model.status.training
    return model.status.storage is not None or (training is not None and training.inference_id is not None)


def left_by_model(
    runtime: AvatarRuntime, model: AvatarModel, now: datetime, *, may_grow_until: datetime | None = None
) -> LeftBehind:
    """The entry for a model: every directory that may hold something which was to be removed with it, or is to stay unmarked.

    Args:
        runtime: takes over.
        model: goes, or is gone.
        now: the instant.
        may_grow_until: when no attempt of the model can be alive any more; None if none is alive.
    """
    metadata, directories = model.metadata, model_directories(runtime, model)
    stays = model.spec.deletion_policy != "Delete"
    # Prefixes may be the same.
    locations = dict.fromkeys(
        [*directories.documents, *directories.outcomes, *(() if stays else directories.artifacts)]
    )
    return LeftBehind(
        kind=model.kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        locations=list(locations),
        # What is uploaded where nothing lay is not marked yet.
        retained=list(directories.artifacts)
        if stays and (model.status.retained_time is None or may_grow_until is not None)
        else [],
        since=now,
        tries=0,
        may_grow_until=may_grow_until,
    )


def left_by_request(
    runtime: AvatarRuntime, request: AvatarRequest, now: datetime, *, may_grow_until: datetime | None = None
) -> LeftBehind:
    """The entry for a request: the directory of its pictures.

    Args:
        runtime: takes over.
        request: goes, or is gone.
        now: the instant.
        may_grow_until: when no call of the request can be drawing any more; None if none is.
    """
    metadata, prefix = request.metadata, picture_prefix(runtime, request)
    stays = request.spec.deletion_policy != "Delete"
    return LeftBehind(
        kind=request.kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        locations=[] if stays else [prefix],
        retained=[prefix] if stays else [],
        since=now,
        tries=0,
        may_grow_until=may_grow_until,
    )


def directories_of(entry: LeftBehind, locations: Sequence[str]) -> list[OwnedDirectory]:
    """Some locations of an entry, as storage knows them. Entries of kinds that this version does not know have none."""
    kinds: dict[str, OwnerKind] = {MODEL: MODEL, REQUEST: REQUEST}
    kind = kinds.get(entry.kind)
    if kind is None:
        return []
    return [OwnedDirectory(entry.namespace, entry.uid, kind, location) for location in locations]
