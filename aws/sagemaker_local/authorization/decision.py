"""Whether policies allow a request. Pure.

A request is allowed when a statement of an identity-based policy allows it, a permissions boundary and a session policy (where
there are any) allow it too, and no statement of any of them denies it. Everything else is denied, in AWS's words.

A statement whose conditions cannot be judged fails closed: it allows nothing, and what it would deny is denied.

Sources: "Policy evaluation logic" and "Troubleshoot access denied error messages" in the IAM user guide.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.authorization.conditions import Unknown, hold
from sagemaker_local.authorization.patterns import Context, matches

logger = logging.getLogger(__name__)

Policy = Mapping[str, Any]
"""A policy document."""

_WITH_VARIABLES = "2012-10-17"


@dataclass(frozen=True)
class Request:
    """What somebody wants to do.

    Attributes:
        action: for example `sagemaker:InvokeEndpoint`.
        resource: an ARN, or `*` for an action without a resource.
        context: condition keys in lower case.
    """

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Policies:
    """All policies of a caller. None where there is no such policy; an empty sequence allows nothing."""

    identity: Sequence[Policy]
    boundary: Sequence[Policy] | None = None
    session: Sequence[Policy] | None = None


def refusal(policies: Policies, request: Request) -> str | None:
    """Why a request is denied, as the end of AWS's sentence; None when it is allowed."""
    kinds: list[tuple[str, Sequence[Policy] | None]] = [
        ("identity-based policy", policies.identity),
        ("permissions boundary", policies.boundary),
        ("session policy", policies.session),
    ]
    present = [(kind, documents) for kind, documents in kinds if documents is not None]
    for kind, documents in present:
        if _any_applies(documents, request, "Deny"):
            return f"with an explicit deny in {'an' if kind.startswith('i') else 'a'} {kind}"
    for kind, documents in present:
        if not _any_applies(documents, request, "Allow"):
            return f"because no {kind} allows the {request.action} action"
    return None


def denies(policy: Policy, request: Request) -> bool:
    """Whether a policy denies a request, whatever others say."""
    return _any_applies([policy], request, "Deny")


def allows(policy: Policy, request: Request) -> bool:
    """Whether a policy allows a request, were it the only one."""
    return _any_applies([policy], request, "Allow")


def statements(policy: Policy) -> list[Mapping[str, Any]]:
    """The statements of a policy, of which a lone one needs no list."""
    return _listed(policy.get("Statement"))


def _any_applies(documents: Iterable[Policy], request: Request, effect: str) -> bool:
    return any(
        _applies(statement, request, request.context if document.get("Version") == _WITH_VARIABLES else None)
        for document in documents
        for statement in statements(document)
        if statement.get("Effect") == effect
    )


def _applies(statement: Mapping[str, Any], request: Request, variables: Context | None) -> bool:
    if not _names_action(statement, request.action):
        return False
    if not _names_resource(statement, request.resource, variables):
        return False
    try:
        return hold(statement.get("Condition") or {}, request.context, variables)
    except Unknown as unknown:
        denied = statement.get("Effect") == "Deny"
        logger.warning(
            "a policy statement (%s, Sid %s) cannot be judged for %s: %s; so it %s",
            statement.get("Effect"),
            statement.get("Sid"),
            request.action,
            unknown,
            "denies" if denied else "allows nothing",
        )
        return denied


def _names_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(
            matches(each, action, None, ignore_case=True) for each in _listed(statement["NotAction"])
        )
    return any(matches(each, action, None, ignore_case=True) for each in _listed(statement.get("Action")))


def _names_resource(statement: Mapping[str, Any], resource: str, variables: Context | None) -> bool:
    if "NotResource" in statement:
        return not any(matches(each, resource, variables) for each in _listed(statement["NotResource"]))
    return any(matches(each, resource, variables) for each in _listed(statement.get("Resource")))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
