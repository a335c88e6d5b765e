"""What a request to S3 asks for, and how S3 says no.

Which operation a request is follows from botocore's model of S3: method, path and query of each operation are in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from sagemaker_local.aws_clients import PLATFORM_USER_AGENT
from sagemaker_local.credential_scope import credential_scope
from sagemaker_local.shapes import service_model


@dataclass(frozen=True)
class S3Request:
    """A request to S3: what it is about, and whether it is one of the platform's own."""

    operation: str
    bucket: str
    key: str
    caller: str


def read_s3_request(environ: Mapping[str, Any]) -> S3Request | None:
    """What an S3 request with a path-style address asks for; None when the request is not for S3."""
    signed = credential_scope(environ)
    if signed is None or signed.service != "s3":
        return None
    bucket, _, key = unquote(str(environ.get("PATH_INFO", ""))).lstrip("/").partition("/")
    operation = operation_on(bucket, key, environ)
    caller = "platform" if PLATFORM_USER_AGENT in str(environ.get("HTTP_USER_AGENT", "")) else "client"
    return S3Request(operation, bucket, key, caller)


def operation_on(bucket: str, key: str, environ: Mapping[str, Any]) -> str:
    """The operation that a request asks for; empty when there is none.

    It is the one with most marks in the request's query, the plainer name among equals.

    Arguments:
        bucket: what the request is about, by whichever style of address; empty for none.
        key: empty for none.
    """
    method = str(environ.get("REQUEST_METHOD", ""))
    asked = frozenset(parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    copied = "HTTP_X_AMZ_COPY_SOURCE" in environ
    fitting = [
        (len(marks), -len(name), name)
        for name, (verb, has_bucket, has_key, marks, copies) in _operations().items()
        if (verb, has_bucket, has_key, copies) == (method, bool(bucket), bool(key), copied) and marks <= asked
    ]
    return max(fitting, default=(0, 0, ""))[2]


@functools.cache
def _operations() -> dict[str, tuple[str, bool, bool, frozenset[str], bool]]:
    """Per operation: method, whether there is a bucket and a key, what its query must have, whether it copies."""
    model = service_model("s3")
    found = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = str(operation.http["requestUri"]).partition("?")
        marks = {part.partition("=")[0] for part in query.split("&") if part}
        members = operation.input_shape.members if operation.input_shape else {}
        required = operation.input_shape.required_members if operation.input_shape else []
        marks |= {
            members[member].serialization["name"]
            for member in required
            if members[member].serialization.get("location") == "querystring"
        }
        marks -= {"x-id"}
        if name == "ListObjectsV2":
            marks.add("list-type")
        found[name] = (
            str(operation.http["method"]),
            "{Bucket}" in path,
            "{Key+}" in path,
            frozenset(marks),
            "CopySource" in required,
        )
    return found


def s3_error(status: int, code: str, message: str, request: S3Request) -> Response:
    """S3's refusal of a request about an object. That of a HEAD has no body."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
        f"<Key>{escape(request.key)}</Key><BucketName>{escape(request.bucket)}</BucketName></Error>"
    )
    return Response(
        "" if request.operation.startswith("Head") else body, status, content_type="application/xml"
    )
