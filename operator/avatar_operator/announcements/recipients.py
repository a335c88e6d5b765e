"""Whose topic is told about an object: that of the runtime that it uses, or has used. With `{namespace}` in its name each
namespace has one to itself; one without it tells everything to whoever is subscribed.

This is asked of every object that has news, before a leader decides anything and while finalizers wait. So nothing that
another version wrote into a runtime or a model may stop it.
"""

from avatar_api.allowed_prefixes import NAMESPACE
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_runtime, runtime_name_of


def concerned_runtime(cache: ObjectCache, body: Object) -> AvatarRuntime | None:
    """The runtime of an object of any of our kinds, or None if there is none (any more)."""
    name = runtime_name_of(cache, body)
    return find_runtime(cache, name, whole=False) if name else None


def topic_of(runtime: AvatarRuntime, namespace: str) -> str | None:
    """The ARN of the topic that is told about a namespace's objects; None if there is none.

    Args:
        runtime: the runtime.
        namespace: the namespace; empty for what is in none, which a topic of a namespace does not hear of.
    """
    notifications = runtime.spec.notifications
    topic = None if notifications is None else notifications.status_topic_arn
    if topic is None or (has_topics_apart(runtime) and not namespace):
        return None
    return topic.replace(NAMESPACE, namespace)


def has_topics_apart(runtime: AvatarRuntime) -> bool:
    """Whether each namespace has a topic to itself."""
    notifications = runtime.spec.notifications
    return notifications is not None and NAMESPACE in (notifications.status_topic_arn or "")
