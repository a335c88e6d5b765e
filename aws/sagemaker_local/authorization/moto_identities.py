"""Who a signed request comes from, according to moto's IAM and STS.

Of this package this file and moto_checks.py know moto's insides. moto's own verification of signatures is used as it is; its
evaluation of policies is not, since it knows neither resources nor conditions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, IAMRequest, IAMUserAccessKey
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import get_partition

from sagemaker_local.authorization.decision import Policies
from sagemaker_local.aws_clients import Scope, Secret
from sagemaker_local.credential_scope import CredentialScope
from sagemaker_local.errors import AwsError


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        arn: as AWS names it in refusals.
        principal_arn: the user, or the role behind a session.
        user_name: None for a role's session.
    """

    account: str
    arn: str
    principal_arn: str
    kind: str
    user_name: str | None
    user_id: str
    policies: Policies

    @property
    def context(self) -> dict[str, list[str]]:
        """The condition keys that tell who calls."""
        context = {
            "aws:principalaccount": [self.account],
            "aws:principalarn": [self.principal_arn],
            "aws:principaltype": [self.kind],
            "aws:userid": [self.user_id],
        }
        if self.user_name is not None:
            context["aws:username"] = [self.user_name]
        return context


def authorization_is_on() -> bool:
    """Whether this action is to be checked. Counts it as moto does: the first INITIAL_NO_AUTH_ACTION_COUNT are not."""
    if next_is_checked():
        return True
    ActionAuthenticatorMixin.request_count += 1
    return False


def next_is_checked() -> bool:
    """Whether the next action is to be checked. For who only looks, and leaves the counting to whoever checks it."""
    return ActionAuthenticatorMixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT


def session_has_expired(account: str, scope: CredentialScope) -> bool:
    """Whether an access key is that of a role's session that is over. Not so for any other key."""
    backend = sts_backends[account][get_partition(scope.region)]
    session = backend.get_assumed_role_from_access_key(scope.access_key)
    return session is not None and _is_over(session)


def secret_of(scope: Scope) -> Secret | None:
    """The secret of an access key that moto's IAM or STS has given out; None for any other key."""
    partition = get_partition(scope.region)
    key = iam_backends[scope.account][partition].access_keys.get(scope.access_key)
    session = sts_backends[scope.account][partition].get_assumed_role_from_access_key(scope.access_key)
    if session is not None:
        return Secret(session.secret_access_key, session.session_token)
    return None if key is None else Secret(key.secret_access_key, None)


def authenticate(account: str, method: str, path: str, headers: Any, body: bytes) -> Caller:
    """Verify a request's signature.

    Arguments:
        path: with its query string, as it was sent.
        headers: case-insensitive.

    Raises:
        AwsError: UnrecognizedClientException, InvalidSignatureException, ExpiredTokenException, all 403.
    """
    signed = _SignedRequest(account, method, path, {}, body, headers, "unused")
    signed.check_signature()
    return signed.caller()


class _SignedRequest(IAMRequest):
    """moto's verification, with the refusals of SageMaker."""

    def caller(self) -> Caller:
        session = _session_of(self._access_key)
        if session is not None and _is_over(session):
            raise AwsError(
                "ExpiredTokenException", "The security token included in the request is expired", 403
            )
        caller = caller_of(self._access_key)
        if caller is None:
            raise _unrecognized()
        return caller

    def _raise_signature_does_not_match(self) -> None:
        raise AwsError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
            "and signing method. Consult the service documentation for details.",
            403,
        )

    def _raise_invalid_access_key(self, _: str) -> None:
        raise _unrecognized()


def _unrecognized() -> AwsError:
    return AwsError(
        "UnrecognizedClientException", "The security token included in the request is invalid.", 403
    )


def caller_of(key: IAMUserAccessKey | AssumedRoleAccessKey) -> Caller | None:
    """Who a key of moto's belongs to, and what their policies are; None for a session of a role that is gone."""
    if isinstance(key, IAMUserAccessKey):
        user = key.backend.get_user(key._owner_user_name)
        return Caller(
            account=key.account_id,
            arn=key.arn,
            principal_arn=key.arn,
            kind="User",
            user_name=user.name,
            user_id=user.id,
            policies=Policies(_documents(key), _boundary(key, user)),
        )
    session = _session_of(key)
    role = role_named(key.account_id, key.partition, key._owner_role_name)
    if session is None or role is None:
        return None
    return Caller(
        account=key.account_id,
        arn=key.arn,
        principal_arn=role.arn,
        kind="AssumedRole",
        user_name=None,
        user_id=session.user_id,
        policies=Policies(_documents(key), _boundary(key, role), _of_session(session)),
    )


def role_named(account: str, partition: str, name: str) -> Any | None:
    """moto's record of a role; None when there is none."""
    try:
        return iam_backends[account][partition].get_role(name)
    except NotFoundException:
        return None


def _session_of(key: IAMUserAccessKey | AssumedRoleAccessKey) -> AssumedRole | None:
    if isinstance(key, IAMUserAccessKey):
        return None
    return sts_backends[key.account_id][key.partition].get_assumed_role_from_access_key(key._access_key_id)


def _is_over(session: AssumedRole) -> bool:
    expiry = session.expiration
    return (expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)) < datetime.now(UTC)


def _of_session(session: AssumedRole) -> list[Mapping[str, Any]] | None:
    """The session policy. One that cannot be read (it was given while IAM was off) allows nothing."""
    if not session.policy:
        return None
    try:
        document = json.loads(session.policy)
    except ValueError:
        return []
    return [document] if isinstance(document, dict) else []


def _boundary(key: IAMUserAccessKey | AssumedRoleAccessKey, owner: Any) -> list[Mapping[str, Any]] | None:
    arn = getattr(owner, "permissions_boundary_arn", None)
    if not arn:
        return None
    try:
        return [_document(key.backend.get_policy(arn))]
    except NotFoundException:
        return []


def _documents(key: IAMUserAccessKey | AssumedRoleAccessKey) -> list[Mapping[str, Any]]:
    return [_document(policy) for policy in key.collect_policies()]


def _document(policy: Any) -> Mapping[str, Any]:
    document: Mapping[str, Any] = IAMPolicy(policy)._policy_json
    return document
