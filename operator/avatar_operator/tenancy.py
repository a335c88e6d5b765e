"""Who may use what: namespaces and S3 locations. Pure, and the same for every kind.

Tenants are apart: a location is allowed only below a prefix that the runtime lists, and `{namespace}` in such a
prefix stands for the namespace of the object that asks, so one line in a runtime keeps every tenant in its own part.
"""

from collections.abc import Sequence

from avatar_api.avatar_runtime import AvatarRuntime

NAMESPACE_PLACEHOLDER = "{namespace}"


def namespace_allowed(runtime: AvatarRuntime, namespace: str) -> bool:
    """Whether objects of a namespace may use the runtime."""
    allowed = runtime.spec.tenancy.allowed_namespaces
    return "*" in allowed or namespace in allowed


def location_allowed(uri: str, allowed_prefixes: Sequence[str], namespace: str) -> bool:
    """Whether an S3 location lies below one of the prefixes, for this namespace."""
    return any(
        uri.startswith(prefix.replace(NAMESPACE_PLACEHOLDER, namespace)) for prefix in allowed_prefixes
    )
