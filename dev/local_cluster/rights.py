"""What RBAC grants to an account, and what the account did: the one held against the other, both ways.

Rights that nobody uses are seen by nobody, until somebody takes the account over; a right that is wanting is seen on the day that
the rare thing has to be done. The API server's audit log knows what was done, its RBAC objects what may be, and here is what
`pkg/registry/rbac` and `rbac/v1` of Kubernetes make of both: https://kubernetes.io/docs/reference/access-authn-authz/rbac/

A wildcard grants what nobody can have used, so it never counts as used. Neither does a wide right that is used only where a narrower
one grants the same. Nothing here asks an API server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_cluster.audit_log import AuditEvent

__all__ = [
    "EVERYWHERE",
    "Account",
    "Grant",
    "Use",
    "granted",
    "granted_to",
    "unused",
    "used",
    "without_grant",
]

EVERYWHERE = ""
"""The namespace of a grant that holds in all of them, and outside of them."""
_ALL = "*"


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One thing that was asked for, granted or not. Empty is what it does not have.

    Attributes:
        verb: such as `patch`.
        group: of the resource's API.
        resource: with its subresource: `avatarmodels/status`.
        namespace: in which it was asked for; empty for all of them, and for what has none.
        name: of the object; empty where it is not looked at, as at creation.
        url: the path, where it is no resource's.
    """

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """The least part of a rule: one verb on one resource.

    Attributes:
        verb: `*` for each.
        group: `*` for each.
        resource: with its subresource; `*` for each with all of theirs, `*/scale` for that of each.
        namespace: where; `EVERYWHERE` by a binding for the whole cluster.
        name: of the only object; empty for each.
        url: the path, or how it begins if it ends with `*`; empty for a resource.
    """

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = EVERYWHERE
    name: str = ""
    url: str = ""

    @property
    def is_wild(self) -> bool:
        """Whether it has a wildcard anywhere."""
        return any(_ALL in part for part in (self.verb, self.group, self.resource, self.url))

    def allows(self, use: Use) -> bool:
        """Whether the authorizer lets a use pass because of it."""
        if self.verb not in (_ALL, use.verb):
            return False
        if self.url or use.url:
            return bool(self.url and use.url) and self._has(use.url)
        return (
            self.group in (_ALL, use.group)
            and self._is_of(use.resource)
            and self.namespace in (EVERYWHERE, use.namespace)
            and self.name in ("", use.name)
        )

    def is_wider_than(self, other: Grant) -> bool:
        """Whether it grants what the other one does in more places, or on more objects."""
        return (
            self != other
            and self.namespace in (EVERYWHERE, other.namespace)
            and self.name in ("", other.name)
        )

    def _has(self, url: str) -> bool:
        return url.startswith(self.url[:-1]) if self.url.endswith(_ALL) else url == self.url

    def _is_of(self, resource: str) -> bool:
        _, _, subresource = resource.partition("/")
        return self.resource in (_ALL, resource) or (
            subresource != "" and self.resource == f"{_ALL}/{subresource}"
        )


@dataclass(frozen=True)
class Account:
    """A ServiceAccount, as bindings and the audit log name it."""

    namespace: str
    name: str

    @property
    def user(self) -> str:
        """Whom requests are made by."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def is_meant_by(self, subject: Mapping[str, Any], binding_namespace: str = "") -> bool:
        """Whether a binding's subject is it, by name or by a group that it is in."""
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            return (subject.get("namespace", binding_namespace), name) == (self.namespace, self.name)
        if kind == "User":
            return bool(name == self.user)
        return name in {
            "system:authenticated",
            "system:serviceaccounts",
            f"system:serviceaccounts:{self.namespace}",
        }


def granted(rules: Iterable[Mapping[str, Any]], namespace: str = EVERYWHERE) -> frozenset[Grant]:
    """What rules grant.

    Args:
        rules: of a Role or a ClusterRole.
        namespace: in which they are bound.
    """
    return frozenset(grant for rule in rules for grant in _grants(rule, namespace))


def granted_to(account: Account, objects: Iterable[Mapping[str, Any]]) -> frozenset[Grant]:
    """What an account is granted.

    Args:
        account: whose rights these are.
        objects: roles and bindings; others are passed over.

    Raises:
        KeyError: a role that a binding names is not among them.
    """
    found = list(objects)
    rules = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each.get("rules")
        or ()
        for each in found
        if each["kind"] in ("Role", "ClusterRole")
    }
    grants: frozenset[Grant] = frozenset()
    for binding in found:
        if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        namespace = binding["metadata"].get("namespace", "")
        if any(account.is_meant_by(subject, namespace) for subject in binding.get("subjects") or ()):
            role = binding["roleRef"]
            of_role = namespace if role["kind"] == "Role" else ""
            grants |= granted(rules[role["kind"], of_role, role["name"]], namespace)
    return grants


def used(events: Iterable[AuditEvent]) -> frozenset[Use]:
    """What was asked for in these requests, also in those that were refused."""
    return frozenset(map(_use, events))


def unused(grants: Iterable[Grant], uses: Iterable[Use]) -> frozenset[Grant]:
    """Grants that nothing was done by."""
    every = frozenset(grants)
    needed: set[Grant] = set()
    for use in uses:
        allowing = [grant for grant in every if grant.allows(use)]
        needed.update(
            grant
            for grant in allowing
            if not grant.is_wild and not any(grant.is_wider_than(other) for other in allowing)
        )
    return every - needed


def without_grant(grants: Iterable[Grant], uses: Iterable[Use]) -> frozenset[Use]:
    """What was asked for and nothing grants: it was refused, or granted by something else."""
    every = frozenset(grants)
    return frozenset(use for use in uses if not any(grant.allows(use) for grant in every))


def _grants(rule: Mapping[str, Any], namespace: str) -> Iterator[Grant]:
    for verb in rule["verbs"]:
        for url in rule.get("nonResourceURLs") or ():
            # A Role grants none, whatever its rules say.
            if namespace == EVERYWHERE:
                yield Grant(verb, url=url)
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for name in rule.get("resourceNames") or ("",):
                    yield Grant(verb, group, resource, namespace, name)


def _use(event: AuditEvent) -> Use:
    if not event.resource:
        return Use(event.verb, url=event.request_uri.partition("?")[0])
    resource = "/".join(filter(None, (event.resource, event.subresource)))
    # The log takes the name from the body; the authorizer, which has not read it, from the path.
    is_new = event.verb == "create" and not event.subresource
    return Use(event.verb, event.api_group, resource, event.namespace, "" if is_new else event.name)
