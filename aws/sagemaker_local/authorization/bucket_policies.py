"""What the policy of a bucket denies under conditions, such as writing over what is there.

moto judges the policies of buckets, too, but takes every condition for fulfilled: a statement that denies some writes would
deny them all. So what has a condition is judged here, before moto sees the request, and moto is shown the rest (moto_bridge).

Judged are reading, writing and deleting of one object, and statements that deny it to everybody: what is meant for somebody
in particular is left out, as moto leaves it out, and nothing is allowed here that would not be anyway.

Sources: "Enforce conditional writes on Amazon S3 buckets" in the S3 user guide (`s3:ObjectCreationOperation` tells what makes an
object from what prepares an upload in parts, which takes no conditional headers); "Actions, resources, and condition keys for
Amazon S3" in the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local import moto_bridge
from sagemaker_local.authorization.contexts import transport
from sagemaker_local.authorization.decision import Request, denies, statements
from sagemaker_local.authorization.s3_permissions import OBJECT_ACTIONS, arn, context
from sagemaker_local.s3_requests import read_s3_request, s3_error

_JUDGED = frozenset(
    {
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateMultipartUpload",
        "DeleteObject",
        "GetObject",
        "HeadObject",
        "PutObject",
        "UploadPart",
        "UploadPartCopy",
    }
)
_EVERYBODY = ("*", {"AWS": "*"}, {"AWS": ["*"]})


def bucket_denial(environ: Mapping[str, Any]) -> Response | None:
    """The refusal of a request to S3 by its bucket's policy; None when it is moto's to answer."""
    bucket = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")[0]
    policy = moto_bridge.bucket_policy(bucket) if bucket else None
    request = None if policy is None else read_s3_request(environ)
    if policy is None or request is None or request.operation not in _JUDGED:
        return None
    wanted = Request(
        OBJECT_ACTIONS[request.operation],
        arn(request.bucket, request.key),
        {**transport(environ), **context(environ, request.operation)},
    )
    if not denies(_conditional(policy), wanted):
        return None
    return s3_error(403, "AccessDenied", "Access Denied", request)


def _conditional(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **policy,
        "Statement": [
            statement
            for statement in statements(policy)
            if statement.get("Condition") and statement.get("Principal") in _EVERYBODY
        ],
    }
