"""Whether an account has the rights that it uses and no others, in a cluster where it did all that it ever does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_cluster.audit_log import AuditEvent
from local_cluster.rights import Account, Grant, Use, granted, granted_to, unused, used, without_grant

_ROLES = Path(__file__).parents[2] / "charts" / "avatar-operator" / "files"
_CREATED, _FORBIDDEN = 201, 403


@dataclass(frozen=True)
class RightsInUse:
    """An account's rights, beside what it did.

    Attributes:
        own: those that it has been given, and its neighbour has not.
        unused: those of them that it could do without. One for the whole cluster has to be used outside of its own namespace.
        refused: what it tried, and was not allowed.
        common: what it did by the rights that every account has.
    """

    own: frozenset[Grant]
    unused: frozenset[Grant]
    refused: frozenset[Use]
    common: frozenset[Use]


def granted_by_the_chart(namespace: str) -> frozenset[Grant]:
    """What the chart's files grant, bound as the chart binds them.

    Args:
        namespace: the operator's own.
    """
    cluster_role, role = (
        yaml.safe_load((_ROLES / file).read_text())["rules"] for file in ("cluster-role.yaml", "role.yaml")
    )
    return granted(cluster_role) | granted(role, namespace)


def rights_in_use(
    account: Account, objects: Iterable[dict[str, Any]], events: Iterable[AuditEvent]
) -> RightsInUse:
    """Hold what an account is granted against what it did.

    Args:
        account: whose rights these are.
        objects: all roles and bindings of the cluster.
        events: what was done in it, by anybody.
    """
    objects, done = list(objects), [event for event in events if event.user == account.user]
    every = granted_to(account, objects)
    own = every - granted_to(neighbour_of(account), objects)
    uses = used(done)
    everywhere = frozenset(grant for grant in own if not grant.namespace)
    abroad = {use for use in uses if use.namespace != account.namespace}
    refused = used(event for event in done if event.code == _FORBIDDEN)
    return RightsInUse(
        own=own,
        unused=unused(own, uses) | unused(everywhere, abroad),
        refused=refused | without_grant(every, uses),
        common=without_grant(own, uses),
    )


def neighbour_of(account: Account) -> Account:
    """An account of the same namespace that nobody has given anything."""
    return Account(account.namespace, f"beside-{account.name}")


def while_installed(account: Account, events: Iterable[AuditEvent]) -> list[AuditEvent]:
    """What was done in a cluster, but for what an account did without a release of the chart that gives it rights.

    `helm uninstall` deletes everything at once: Pods that have been told to end find their rights gone before them.

    Args:
        account: named like the release's objects.
        events: what was done, by anybody.
    """
    kept: list[AuditEvent] = []
    installed = True
    for event in sorted(events, key=lambda event: event.time):
        if event.succeeded and (event.namespace, event.name) == (account.namespace, account.name):
            if (event.verb, event.resource) == ("delete", "deployments"):
                installed = False
            elif (event.code, event.resource) == (_CREATED, "rolebindings"):
                installed = True
        if installed or event.user != account.user:
            kept.append(event)
    return kept
