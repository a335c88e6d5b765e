"""Whether somebody may assume a role, and for how long. Pure.

A role's trust policy has the first word: it must be about the caller, by ARN or by account. Who is named by ARN needs nothing
else in the role's own account; who is there only as one of an account's needs a policy that allows sts:AssumeRole as well, and so
does everybody of another account. What limits a caller (a permissions boundary, the session policy of a session) limits this too.

`Principal` as `*` counts as an account: nobody is let in here without a policy of their own.

Sources: AssumeRole in the STS API reference; "Policy evaluation logic", "AWS JSON policy elements: Principal" and "Roles terms
and concepts" (role chaining) in the IAM user guide. Messages are AWS's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.authorization.decision import (
    Policies,
    Policy,
    Request,
    allows,
    denies,
    refusal,
    statements,
)
from sagemaker_local.errors import AwsError, not_implemented

SHORTEST, LONGEST, LONGEST_CHAINED, WHEN_NOT_SAID = 900, 43_200, 3_600, 3_600
MAX_POLICY = 2_048
TAKEN = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]+")
"""What a session policy may consist of."""
ACTION = "sts:AssumeRole"


@dataclass(frozen=True)
class Assumer:
    """Who wants to assume a role.

    Attributes:
        arn: of the user or the session.
        principal_arn: of the user, or of the role behind the session.
    """

    account: str
    arn: str
    principal_arn: str
    in_a_session: bool
    policies: Policies


@dataclass(frozen=True)
class Role:
    """The role that is to be assumed."""

    account: str
    arn: str
    trust: Policy
    longest: int


def check(
    assumer: Assumer, role: Role | None, asked: Mapping[str, str], context: Mapping[str, Sequence[str]]
) -> None:
    """Let an AssumeRole pass, or refuse it.

    Arguments:
        role: None when there is no such role.
        asked: the parameters of the request.
        context: its condition keys.

    Raises:
        AwsError: ValidationError, MalformedPolicyDocument, AccessDenied; NotImplemented for PolicyArns, which moto would forget.
    """
    _check_session_policy(asked)
    duration = _duration(asked)
    wanted = Request(
        ACTION,
        asked.get("RoleArn", ""),
        {
            **context,
            **{
                key: [asked[name]]
                for key, name in (
                    ("sts:externalid", "ExternalId"),
                    ("sts:rolesessionname", "RoleSessionName"),
                )
                if name in asked
            },
        },
    )
    if role is None or not _may(assumer, role, wanted):
        raise AwsError(
            "AccessDenied",
            f"User: {assumer.arn} is not authorized to perform: {ACTION} on resource: {wanted.resource}",
            403,
        )
    if assumer.in_a_session and duration > LONGEST_CHAINED:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    if duration > role.longest:
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _check_session_policy(asked: Mapping[str, str]) -> None:
    if any(name.startswith("PolicyArns") for name in asked):
        raise not_implemented("PolicyArns of sts:AssumeRole (Policy it does)")
    policy = asked.get("Policy")
    if policy is None:
        return
    if len(policy) > MAX_POLICY:
        raise _invalid(
            f"1 validation error detected: Value '{policy}' at 'policy' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_POLICY}"
        )
    if not TAKEN.fullmatch(policy):
        raise _invalid(
            f"1 validation error detected: Value '{policy}' at 'policy' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {TAKEN.pattern}"
        )
    try:
        document = json.loads(policy)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400)


def _duration(asked: Mapping[str, str]) -> int:
    duration = int(asked.get("DurationSeconds", WHEN_NOT_SAID))
    bound = (
        f"greater than or equal to {SHORTEST}" if duration < SHORTEST else f"less than or equal to {LONGEST}"
    )
    if not SHORTEST <= duration <= LONGEST:
        raise _invalid(
            f"1 validation error detected: Value '{duration}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )
    return duration


def _may(assumer: Assumer, role: Role, wanted: Request) -> bool:
    by_arn, by_account = _about(role.trust, assumer)
    if denies(by_arn, wanted) or denies(by_account, wanted):
        return False
    policies = assumer.policies
    if role.account == assumer.account and allows(by_arn, wanted):
        # The trust policy stands in for the one that would have to allow it; what denies or limits still counts.
        policies = Policies([*policies.identity, by_arn], policies.boundary, policies.session)
    elif not (allows(by_arn, wanted) or allows(by_account, wanted)):
        return False
    return refusal(policies, wanted) is None


def _about(trust: Policy, assumer: Assumer) -> tuple[Policy, Policy]:
    """What a trust policy says of somebody: by ARN, and as one of an account's."""
    names = {assumer.arn, assumer.principal_arn}
    partition = assumer.principal_arn.split(":")[1]
    accounts = {"*", assumer.account, f"arn:{partition}:iam::{assumer.account}:root"}
    return _naming(trust, names), _naming(trust, accounts)


def _naming(trust: Policy, names: set[str]) -> Policy:
    return {
        **trust,
        "Statement": [
            {**statement, "Resource": "*"}
            for statement in statements(trust)
            if names & _principals(statement)
        ],
    }


def _principals(statement: Mapping[str, Any]) -> set[str]:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, Mapping) else principal
    return {named} if isinstance(named, str) else set(named or [])


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)
