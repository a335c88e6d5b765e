"""What a request to S3 must be allowed to do, and the condition keys that it has. Pure.

An operation of S3 has another name than the action that it needs, and may need several: a copy reads and writes, a request for a
version is about that version and not about the object, tags and access lists that come with an object are written too.

Sources: "Required permissions for Amazon S3 API operations" in the S3 user guide; "Actions, resources, and condition keys for
Amazon S3" in the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

_CREATING = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_PREPARING = frozenset({"CreateMultipartUpload", "UploadPart", "UploadPartCopy"})
OBJECT_ACTIONS: Mapping[str, str] = {
    **dict.fromkeys(_CREATING | _PREPARING, "s3:PutObject"),
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "GetObjectTagging": "s3:GetObjectTagging",
    "PutObjectTagging": "s3:PutObjectTagging",
    "DeleteObjectTagging": "s3:DeleteObjectTagging",
    "GetObjectAcl": "s3:GetObjectAcl",
    "PutObjectAcl": "s3:PutObjectAcl",
}
"""By operation on one object, what it must be allowed to do."""
_BUCKET_ACTIONS: Mapping[str, str] = {
    "HeadBucket": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
_OF_VERSIONS = frozenset(
    {
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:GetObjectTagging",
        "s3:PutObjectTagging",
        "s3:DeleteObjectTagging",
        "s3:GetObjectAcl",
        "s3:PutObjectAcl",
    }
)
_WRITTEN_TOO = (
    ("HTTP_X_AMZ_TAGGING", "s3:PutObjectTagging"),
    ("HTTP_X_AMZ_ACL", "s3:PutObjectAcl"),
)
_KEYS_IN_QUERIES = (
    ("s3:prefix", "prefix"),
    ("s3:delimiter", "delimiter"),
    ("s3:max-keys", "max-keys"),
    ("s3:versionid", "versionId"),
)
_KEYS_IN_HEADERS = (("s3:if-none-match", "HTTP_IF_NONE_MATCH"), ("s3:if-match", "HTTP_IF_MATCH"))


def arn(bucket: str, key: str = "") -> str:
    """The ARN of an object, or of a bucket."""
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def permissions(
    operation: str, bucket: str, key: str, environ: Mapping[str, Any]
) -> list[tuple[str, str]] | None:
    """The actions that a request must be allowed to do, each with the ARN that it is done to.

    Arguments:
        environ: the request's WSGI environment.

    Returns:
        None for an operation that is not known here.
    """
    if operation in _BUCKET_ACTIONS:
        return [(_BUCKET_ACTIONS[operation], arn(bucket))]
    action = OBJECT_ACTIONS.get(operation)
    if action is None:
        return None
    needed = [(_of_version(action) if _asked(environ, "versionId") else action, arn(bucket, key))]
    if action == "s3:PutObject":
        needed += [(also, arn(bucket, key)) for header, also in _WRITTEN_TOO if header in environ]
    if "HTTP_X_AMZ_COPY_SOURCE" in environ:
        needed.append(_read_by_a_copy(str(environ["HTTP_X_AMZ_COPY_SOURCE"])))
    return needed


def deletion(bucket: str, key: str, version: str | None) -> tuple[str, str]:
    """What the deletion of one member of a DeleteObjects must be allowed to do, with its ARN."""
    action = OBJECT_ACTIONS["DeleteObject"]
    return _of_version(action) if version else action, arn(bucket, key)


def context(environ: Mapping[str, Any], operation: str) -> dict[str, list[str]]:
    """The condition keys of S3 that a request has."""
    asked = _query(environ)
    found = {key: asked[name] for key, name in _KEYS_IN_QUERIES if name in asked}
    found |= {key: [str(environ[header])] for key, header in _KEYS_IN_HEADERS if header in environ}
    if operation in _CREATING | _PREPARING:
        found["s3:objectcreationoperation"] = ["true" if operation in _CREATING else "false"]
    return found


def _read_by_a_copy(source: str) -> tuple[str, str]:
    path, _, query = source.partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    read = OBJECT_ACTIONS["GetObject"]
    return _of_version(read) if "versionId" in parse_qs(query) else read, arn(bucket, key)


def _of_version(action: str) -> str:
    return action.replace("Object", "ObjectVersion", 1) if action in _OF_VERSIONS else action


def _asked(environ: Mapping[str, Any], name: str) -> bool:
    return name in _query(environ)


def _query(environ: Mapping[str, Any]) -> dict[str, list[str]]:
    return parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
