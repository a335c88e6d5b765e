"""A session that is over is refused, whatever it asks for: moto gives sessions an end and never looks at it again.

This is decided at the door, before a signature is verified: it only ever refuses. Operations of ours are not seen here; the
authorizer refuses them in the same way.

An endpoint goes on when the session of whoever made it is over, since AWS would act as the model's execution role: calls of the
platform's own are let through.

Sources: "Error responses" in the S3 API reference; "Common errors" in the STS API reference.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local import moto_bridge
from sagemaker_local.authorization import moto_identities
from sagemaker_local.aws_clients import PLATFORM_USER_AGENT
from sagemaker_local.credential_scope import credential_scope
from sagemaker_local.errors import AwsError
from sagemaker_local.protocol_errors import error_in_protocol
from sagemaker_local.s3_requests import read_s3_request, s3_error


def expiry_denial(environ: dict[str, Any]) -> Response | None:
    """The refusal of a request that a session signs which is over; None for any other, and while IAM is off."""
    if not moto_identities.next_is_checked():
        return None
    signed = credential_scope(environ)
    if signed is None or PLATFORM_USER_AGENT in environ.get("HTTP_USER_AGENT", ""):
        return None
    if not moto_identities.session_has_expired(moto_bridge.account_of(signed.access_key), signed):
        return None
    request = read_s3_request(environ)
    if request is not None:
        return s3_error(400, "ExpiredToken", "The provided token has expired.", request)
    code = "ExpiredTokenException" if environ.get("HTTP_X_AMZ_TARGET") else "ExpiredToken"
    error = AwsError(code, "The security token included in the request is expired", 403)
    return error_in_protocol(environ, error)
