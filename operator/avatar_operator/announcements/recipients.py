"""Whose topic is told about an object: that of the runtime that it uses, or has used.

This is asked of every object that has news, before a leader decides anything and while finalizers wait. So nothing that
another version wrote into a runtime or a model may stop it.
"""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_runtime, runtime_name_of


def concerned_runtime(cache: ObjectCache, body: Object) -> AvatarRuntime | None:
    """The runtime of an object of any of our kinds, or None if there is none (any more)."""
    name = runtime_name_of(cache, body)
    return find_runtime(cache, name, whole=False) if name else None
