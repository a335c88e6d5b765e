"""Typed views of cached objects, and how to get from an object to the one it refers to."""

import contextlib

from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_api.reading import read_for_deletion
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object


def find_runtime(cache: ObjectCache, name: str, *, whole: bool = True) -> AvatarRuntime | None:
    """The AvatarRuntime of a name, or None if there is none.

    Args:
        cache: where it is looked up.
        name: its name.
        whole: whether all of it must be understood. Where things to be removed lie, and whom to tell, is known of one that
            another version wrote, too.

    Raises:
        ValidationError: this version does not understand it.
    """
    body = cache.get(_runtime_key(name))
    if body is None:
        return None
    return AvatarRuntime.model_validate(body) if whole else read_for_deletion(AvatarRuntime, body).object


def runtime_is_foreign(cache: ObjectCache, name: str) -> bool:
    """Whether the AvatarRuntime of a name is another operator's, or nobody's."""
    return cache.foreign(_runtime_key(name)) is not None


def find_keeper(cache: ObjectCache, name: str, *, recorded: bool) -> AvatarRuntime | None:
    """The AvatarRuntime through which the data of an object that goes are reached: its own, else any other that keeps things in S3.

    Where the data lie stands in the object, and the operator has one identity on AWS: a runtime only says which region to ask.
    So one that went first takes no likeness out of reach, nor one that has come to be another operator's: it is asked where no
    other is left, and cannot take anything over.

    Args:
        cache: where it is looked up.
        name: the name of its own.
        recorded: whether the object itself says where its data lie.
    """
    own = find_runtime(cache, name, whole=False)
    if own is not None or not recorded:
        return own
    others = (read_for_deletion(AvatarRuntime, body).object for body in cache.objects(AVATAR_RUNTIME))
    in_s3 = (
        runtime
        for runtime in others
        if runtime.metadata.deletion_timestamp is None and runtime.spec.backend.sagemaker is not None
    )
    other = min(in_s3, key=lambda runtime: runtime.metadata.name, default=None)
    foreign = cache.foreign(_runtime_key(name))
    if other is None and foreign is not None:
        return read_for_deletion(AvatarRuntime, foreign).object
    return other


def find_model(cache: ObjectCache, namespace: str, name: str) -> AvatarModel | None:
    """The AvatarModel of a name in a namespace, or None if there is none."""
    body = cache.get(ObjectKey(AVATAR_MODEL.kind, namespace, name))
    return None if body is None else AvatarModel.model_validate(body)


def runtime_name_of(cache: ObjectCache, body: Object) -> str:
    """The name of the runtime that an object is, names, or comes to through its model; empty if there is none (any more).

    Read raw: it is asked of every object, and of what another version wrote, too.
    """
    metadata, spec = body["metadata"], body.get("spec", {})
    if body["kind"] == AVATAR_RUNTIME.kind:
        return str(metadata["name"])
    if body["kind"] != AVATAR_MODEL.kind:
        # A model may be deleted before its requests: the status remembers the runtime.
        remembered = body.get("status", {}).get("runtimeName")
        if remembered is not None:
            return str(remembered)
        model_name = spec.get("modelRef", {}).get("name", "")
        model = cache.get(ObjectKey(AVATAR_MODEL.kind, metadata["namespace"], model_name))
        spec = {} if model is None else model.get("spec", {})
    return str(spec.get("runtimeRef", {}).get("name", ""))


def find_runtimes(cache: ObjectCache) -> list[AvatarRuntime]:
    """Every AvatarRuntime that this version understands."""
    runtimes = []
    for body in cache.objects(AVATAR_RUNTIME):
        with contextlib.suppress(ValidationError):
            runtimes.append(AvatarRuntime.model_validate(body))
    return runtimes


def _runtime_key(name: str) -> ObjectKey:
    return ObjectKey(AVATAR_RUNTIME.kind, "", name)
