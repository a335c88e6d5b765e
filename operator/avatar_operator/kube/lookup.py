"""Typed views of cached objects, and how to get from an object to the one it refers to."""

import contextlib

from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_api.reading import read_for_deletion
from avatar_operator.kube.cache import ObjectCache, ObjectKey


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
    body = cache.get(ObjectKey(AVATAR_RUNTIME.kind, "", name))
    if body is None:
        return None
    return AvatarRuntime.model_validate(body) if whole else read_for_deletion(AvatarRuntime, body).object


def find_model(cache: ObjectCache, namespace: str, name: str) -> AvatarModel | None:
    """The AvatarModel of a name in a namespace, or None if there is none."""
    body = cache.get(ObjectKey(AVATAR_MODEL.kind, namespace, name))
    return None if body is None else AvatarModel.model_validate(body)


def find_runtimes(cache: ObjectCache) -> list[AvatarRuntime]:
    """Every AvatarRuntime that this version understands."""
    runtimes = []
    for body in cache.objects(AVATAR_RUNTIME):
        with contextlib.suppress(ValidationError):
            runtimes.append(AvatarRuntime.model_validate(body))
    return runtimes
