"""Whose topic is told about an object: that of the runtime that it uses, or has used."""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_model, find_runtime


def concerned_runtime(cache: ObjectCache, body: Object) -> AvatarRuntime | None:
    """The runtime of an object of any of our kinds, or None if there is none (any more)."""
    metadata, spec = body["metadata"], body.get("spec", {})
    if body["kind"] == AVATAR_RUNTIME.kind:
        return find_runtime(cache, metadata["name"])
    if body["kind"] == AVATAR_MODEL.kind:
        return find_runtime(cache, spec["runtimeRef"]["name"])
    # A model may be deleted before its requests: the status remembers the runtime.
    remembered = body.get("status", {}).get("runtimeName")
    if remembered is None:
        model = find_model(cache, metadata["namespace"], spec["modelRef"]["name"])
        remembered = None if model is None else model.spec.runtime_ref.name
    return None if remembered is None else find_runtime(cache, remembered)
