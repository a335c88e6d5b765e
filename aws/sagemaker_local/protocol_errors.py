"""One refusal, in the words of the protocol that the caller speaks: botocore shows its user what it can parse, nothing else.

Sources: botocore.parsers for what each protocol reads of an error.
"""

from __future__ import annotations

import uuid
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from sagemaker_local.credential_scope import credential_scope
from sagemaker_local.errors import AwsError, error_response

_REST_XML = frozenset({"s3", "route53", "cloudfront"})


def error_in_protocol(environ: dict[str, Any], error: AwsError) -> Response:
    """The HTTP response for an error, in the form that the caller of a request can read."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return error_response(error)
    described = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    request_id = str(uuid.uuid4())
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        if called_service(environ) == "ec2":
            return _xml(
                error,
                f"<Response><Errors><Error>{described}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
            )
        at_fault = "Receiver" if error.status >= 500 else "Sender"
        return _xml(
            error,
            f"<ErrorResponse><Error><Type>{at_fault}</Type>{described}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>",
        )
    if called_service(environ) in _REST_XML:
        return _xml(error, f"<Error>{described}<RequestId>{request_id}</RequestId></Error>")
    return error_response(error)


def called_service(environ: dict[str, Any]) -> str:
    """The service that a request is signed for; empty for one that is not signed."""
    signed = credential_scope(environ)
    return signed.service if signed else ""


def _xml(error: AwsError, text: str) -> Response:
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', status=error.status, content_type="text/xml"
    )
