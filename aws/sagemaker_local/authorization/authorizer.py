"""The check at the door.

    signed request ──authenticate──> caller ──authorize──> goes on, or AccessDeniedException in AWS's words

It is off until IAM is switched on as in moto: INITIAL_NO_AUTH_ACTION_COUNT in the environment, or POST /moto-api/reset-auth with
the number of actions that are still free. What moto answers itself it checks itself; this is for what moto never sees.

Sources: "Signature Version 4" in the IAM user guide (a request is valid for five minutes); refusals as SageMaker sends them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request as HttpRequest

from sagemaker_local.authorization import moto_identities
from sagemaker_local.authorization.contexts import moment, transport
from sagemaker_local.authorization.decision import Request, refusal
from sagemaker_local.authorization.moto_identities import Caller
from sagemaker_local.authorization.resources import resources
from sagemaker_local.aws_clients import Scope
from sagemaker_local.errors import AwsError
from sagemaker_local.request_bodies import read_body

# An image of 5 MiB for Rekognition is 6.7 MiB of base64.
MAX_SIGNED_BYTES = 8 << 20
VALID_FOR = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]{64}$"
)
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Authenticated:
    """A caller and the request that is theirs."""

    caller: Caller
    scope: Scope
    service: str
    http: HttpRequest

    def authorize(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Let the caller's policies decide about an operation and all resources that it names.

        Raises:
            AwsError: AccessDeniedException.
        """
        named = resources(self.scope, operation, parameters) if self.service == "sagemaker" else ["*"]
        context = self._context(parameters)
        wanted = [Request(f"{self.service}:{operation}", resource, context) for resource in named]
        if operation == "CreateModel" and parameters.get("ExecutionRoleArn"):
            passed = {**context, "iam:passedtoservice": ["sagemaker.amazonaws.com"]}
            wanted.append(Request("iam:PassRole", str(parameters["ExecutionRoleArn"]), passed))
        for request in wanted:
            reason = refusal(self.caller.policies, request)
            if reason is not None:
                raise AwsError(
                    "AccessDeniedException",
                    f"User: {self.caller.arn} is not authorized to perform: {request.action} on resource: "
                    f"{request.resource} {reason}",
                    403,
                )

    def _context(self, parameters: Mapping[str, Any]) -> dict[str, list[str]]:
        context = {
            **moment(datetime.now(UTC)),
            **self.caller.context,
            "aws:requestedregion": [self.scope.region],
            **transport(self.http.environ),
        }
        if "TargetModel" in parameters:
            context["sagemaker:targetmodel"] = [str(parameters["TargetModel"])]
        return context


def authenticate(http: HttpRequest, scope: Scope, service: str) -> Authenticated | None:
    """Who sent a request; None while IAM is off.

    Arguments:
        service: the service that the request must be signed for.

    Raises:
        AwsError: when the signature is missing, malformed, stale, or not that of a known key.
    """
    if not moto_identities.authorization_is_on():
        return None
    header = http.headers.get("Authorization")
    if header is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    parsed = _AUTHORIZATION.match(header)
    if parsed is None:
        raise AwsError(
            "IncompleteSignatureException",
            "The Authorization header must be that of Signature Version 4: AWS4-HMAC-SHA256 Credential, SignedHeaders, Signature.",
            403,
        )
    if parsed["service"] != service:
        raise AwsError(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'.", 403
        )
    _require_recent(http.headers.get("X-Amz-Date", ""))
    too_large = AwsError(
        "RequestEntityTooLargeException", f"The request exceeds {MAX_SIGNED_BYTES} bytes", 413
    )
    body = read_body(http, MAX_SIGNED_BYTES, too_large)
    path = http.environ.get("RAW_URI") or http.full_path.rstrip("?")
    caller = moto_identities.authenticate(scope.account, http.method, path, http.headers, body)
    return Authenticated(caller, scope, service, http)


def _require_recent(date: str) -> None:
    try:
        signed = datetime.strptime(date, _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise AwsError(
            "IncompleteSignatureException",
            "Date must be in ISO-8601 'basic format', in the header X-Amz-Date.",
            403,
        ) from None
    now = datetime.now(UTC)
    if signed < now - VALID_FOR:
        raise AwsError(
            "InvalidSignatureException",
            f"Signature expired: {date} is now earlier than {(now - VALID_FOR).strftime(_DATE_FORMAT)} "
            f"({now.strftime(_DATE_FORMAT)} - 5 min.)",
            403,
        )
    if signed > now + VALID_FOR:
        raise AwsError(
            "InvalidSignatureException",
            f"Signature not yet current: {date} is still later than {(now + VALID_FOR).strftime(_DATE_FORMAT)} "
            f"({now.strftime(_DATE_FORMAT)} + 5 min.)",
            403,
        )
