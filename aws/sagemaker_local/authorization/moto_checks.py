"""What moto asks before it answers: is this caller allowed to? Answered here where moto's own answer is wrong.

moto finds out who calls and verifies the signature; then it looks at the policies of the user or the role, takes a statement with
a condition for one that denies, and knows nothing of session policies. Two of its questions are answered here instead:

- S3: by the same decision as ours (decision.py), with the condition keys and actions of s3_permissions.py and each member of a
  DeleteObjects by itself. A missing object is told only to those who may list it; to others it is AccessDenied, as on AWS.
- sts:AssumeRole: assuming_roles.py.

For all other services moto's answer stands, and a session policy has to agree with it, in the same coarse way.

The bucket's policy is judged besides (bucket_policies.py). Sources: GetObject and DeleteObjects in the S3 API reference; "Policies
for a session" in the IAM user guide.
"""

from __future__ import annotations

import contextvars
import json
from datetime import UTC, datetime
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from flask import request as http
from moto.iam.access_control import IAMPolicy, IAMRequest, IAMRequestBase, PermissionResult, S3IAMRequest
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from sagemaker_local import moto_bridge
from sagemaker_local.authorization import assuming_roles, s3_permissions
from sagemaker_local.authorization.assuming_roles import Assumer, Role
from sagemaker_local.authorization.contexts import moment, transport
from sagemaker_local.authorization.decision import Request, refusal
from sagemaker_local.authorization.moto_identities import Caller, caller_of, role_named
from sagemaker_local.errors import AwsError
from sagemaker_local.protocol_errors import error_in_protocol
from sagemaker_local.s3_requests import operation_on

_kept = contextvars.ContextVar[frozenset[str]]("objects that a DeleteObjects must leave", default=frozenset())


def answer_moto() -> None:
    """Answer moto's questions from now on."""
    judge_coarsely = IAMRequestBase.check_action_permitted
    delete_keys = S3Response._bucket_response_delete_keys
    get_permission = FakeBucket.get_permission

    def check_any(request: IAMRequest, resource: str) -> None:
        if request._action == assuming_roles.ACTION:
            _check_assumption(request, resource)
            return
        judge_coarsely(request, resource)
        _check_session_policies(request, resource)

    def delete_but_the_kept(response: S3Response, *arguments: Any, **named: Any) -> Any:
        try:
            return delete_keys(response, *arguments, **named)
        finally:
            _kept.set(frozenset())

    def keep(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
        return (
            PermissionResult.DENIED if resource in _kept.get() else get_permission(bucket, action, resource)
        )

    IAMRequest.check_action_permitted = check_any  # type: ignore[assignment, method-assign]
    S3IAMRequest.check_action_permitted = _check_s3  # type: ignore[assignment, method-assign]
    S3Response._bucket_response_delete_keys = delete_but_the_kept  # type: ignore[assignment, method-assign]
    FakeBucket.get_permission = keep  # type: ignore[assignment, method-assign]


def _check_s3(request: S3IAMRequest, resource: str) -> None:
    caller = caller_of(request._access_key)
    if caller is None:
        request._raise_invalid_access_key("InvalidId")
        return
    partition = get_partition(request._region)
    bucket, _, key = resource.removeprefix(f"arn:{partition}:s3:::").partition("/")
    bucket = "" if bucket == "*" else bucket
    operation = operation_on(bucket, key, http.environ)
    context = {
        **_context(caller, request),
        **s3_permissions.context(http.environ, operation),
    }

    def allowed(action: str, arn: str, **more: list[str]) -> bool:
        named = arn.replace("arn:aws:", f"arn:{partition}:", 1)
        return refusal(caller.policies, Request(action, named, {**context, **more})) is None

    if operation == "DeleteObjects":
        members = _members(request._body)
        if members is None:
            request._raise_access_denied()
        _kept.set(
            frozenset(
                s3_permissions.arn(bucket, name)
                for name, version in members or ()
                if not allowed(*s3_permissions.deletion(bucket, name, version))
            )
        )
        return
    needed = s3_permissions.permissions(operation, bucket, key, http.environ) or [(request._action, resource)]
    if not all(allowed(action, arn) for action, arn in needed):
        request._raise_access_denied()
    if (
        operation in ("GetObject", "HeadObject")
        and "s3:versionid" not in context
        and moto_bridge.lacks_object(bucket, key)
        and not allowed("s3:ListBucket", s3_permissions.arn(bucket), **{"s3:prefix": [key]})
    ):
        request._raise_access_denied()


def _members(body: bytes) -> list[tuple[str, str | None]] | None:
    """Key and version of what a DeleteObjects is about; None when that cannot be read."""
    try:
        named = xmltodict.parse(body, strip_whitespace=False)["Delete"].get("Object", [])
        return [
            (str(member["Key"]), member.get("VersionId"))
            for member in (named if isinstance(named, list) else [named])
        ]
    except Exception:
        return None


def _check_assumption(request: IAMRequest, resource: str) -> None:
    caller = caller_of(request._access_key)
    if caller is None:
        request._raise_invalid_access_key("InvalidId")
        return
    assumer = Assumer(
        caller.account, caller.arn, caller.principal_arn, caller.kind == "AssumedRole", caller.policies
    )
    asked = {name: values[0] for name, values in request._data.items() if isinstance(values, list)}
    try:
        assuming_roles.check(assumer, _role(resource, request), asked, _context(caller, request))
    except AwsError as error:
        raise _refused(error) from None


def _role(arn: str, request: IAMRequest) -> Role | None:
    account = arn.split(":")[4] if arn.count(":") >= 5 else request.account_id
    found = role_named(account, get_partition(request._region), arn.rpartition("/")[2])
    if found is None or found.arn != arn:
        return None
    try:
        trust = json.loads(found.assume_role_policy_document)
    except ValueError:
        return None
    return Role(account, found.arn, trust, int(found.max_session_duration or assuming_roles.WHEN_NOT_SAID))


def _check_session_policies(request: IAMRequest, resource: str) -> None:
    caller = caller_of(request._access_key)
    if caller is None or caller.policies.session is None or request._action == "sts:GetCallerIdentity":
        return
    judged = [
        IAMPolicy(json.dumps(policy)).is_action_permitted(request._action, resource)
        for policy in caller.policies.session
    ]
    if PermissionResult.DENIED in judged or PermissionResult.PERMITTED not in judged:
        request._raise_access_denied()


def _context(caller: Caller, request: IAMRequestBase) -> dict[str, list[str]]:
    return {
        **moment(datetime.now(UTC)),
        **transport(http.environ),
        **caller.context,
        "aws:requestedregion": [request._region],
    }


def _refused(error: AwsError) -> HTTPException:
    answer = error_in_protocol(http.environ, error)
    refused = HTTPException(answer.get_data(as_text=True))
    refused.code = error.status
    return refused
