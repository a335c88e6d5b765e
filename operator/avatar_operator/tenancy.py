"""Who may use what: namespaces and S3 locations. Pure, and the same for every kind.

Tenants are apart: a location is allowed only below a prefix that the runtime lists, and `{namespace}` in such a
prefix stands for the namespace of the object that asks, so one line in a runtime keeps every tenant in its own part.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from avatar_api.allowed_prefixes import NAMESPACE
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.literal_locations import is_literal
from avatar_api.tenancy import LabelRequirement, NamespaceSelector


def namespace_allowed(runtime: AvatarRuntime, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether objects of a namespace may use the runtime: it is named, or its labels fit the selector.

    Args:
        runtime: the runtime.
        namespace: the namespace.
        labels: its labels; they need to be known only if the runtime has a selector.
    """
    tenancy = runtime.spec.tenancy
    named = "*" in tenancy.allowed_namespaces or namespace in tenancy.allowed_namespaces
    return named or (tenancy.namespace_selector is not None and fits(tenancy.namespace_selector, labels))


def why_foreign(name: str) -> str:
    """Why the operator of a namespace does not see to a runtime, in sentences: it works in some namespaces only (`kube.scope`)."""
    return (
        f"AvatarRuntime {name} is not the operator's that works in this namespace: spec.tenancy admits namespaces that it does not"
        " watch. The platform team names in allowedNamespaces none but those that it watches, and no namespaceSelector."
    )


def fits(selector: NamespaceSelector, labels: Mapping[str, str]) -> bool:
    """Whether labels fit a selector, as metav1.LabelSelector has it: every part must."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _meets(requirement, labels) for requirement in selector.match_expressions
    )


def _meets(requirement: LabelRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            assert_never(requirement.operator)


def location_allowed(uri: str, allowed_prefixes: Sequence[str], namespace: str) -> bool:
    """Whether an S3 location lies below one of the prefixes, for this namespace, however it is read."""
    return is_literal(uri) and any(
        uri.startswith(prefix.replace(NAMESPACE, namespace)) for prefix in allowed_prefixes
    )


def why_not_allowed(runtime: AvatarRuntime, uri: str, allowed_prefixes: Sequence[str], namespace: str) -> str:
    """Why a namespace may not name an S3 location that is not allowed, in a sentence."""
    if not is_literal(uri):
        return (
            f"{uri!r} may mean another place to whoever tidies it up: it has a . or .. between slashes, //, a backslash,"
            " a control character, or one of them percent-encoded."
        )
    listed = ", ".join(allowed_prefixes) or "none but the runtime's own default"
    name = runtime.metadata.name
    return f"{uri} is outside what AvatarRuntime {name} allows to namespace {namespace}: {listed}"


def reserved(runtime: AvatarRuntime, namespace: str, place: str) -> str:
    """Why a namespace cannot use a runtime that keeps something else where the namespace's directory would be."""
    return (
        f"What belongs to namespace {namespace} would lie where AvatarRuntime {runtime.metadata.name} keeps what belongs to"
        f" everybody ({place}). Use a namespace of another name, or a runtime whose spec.storage differs."
    )
