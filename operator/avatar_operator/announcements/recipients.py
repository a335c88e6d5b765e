"""Whose topic is told about an object: that of the runtime that it uses, or has used.

This is asked of every object that has news, before a leader decides anything and while finalizers wait. So nothing that
another version wrote into a runtime or a model may stop it.
"""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_runtime


def concerned_runtime(cache: ObjectCache, body: Object) -> AvatarRuntime | None:
    """The runtime of an object of any of our kinds, or None if there is none (any more)."""
    metadata, spec = body["metadata"], body.get("spec", {})
    if body["kind"] == AVATAR_RUNTIME.kind:
        return find_runtime(cache, metadata["name"], whole=False)
    if body["kind"] == AVATAR_MODEL.kind:
        return find_runtime(cache, spec["runtimeRef"]["name"], whole=False)
    # A model may be deleted before its requests: the status remembers the runtime.
    remembered = body.get("status", {}).get("runtimeName")
    if remembered is None:
        model = cache.get(ObjectKey(AVATAR_MODEL.kind, metadata["namespace"], spec["modelRef"]["name"]))
        remembered = None if model is None else model["spec"]["runtimeRef"]["name"]
    return None if remembered is None else find_runtime(cache, remembered, whole=False)
