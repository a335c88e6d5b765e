"""Removing everything below a prefix: every version and every delete marker, in bounded time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avatar_operator.aws.error_codes import DENIED_CODES
from avatar_operator.aws.errors import AwsFailure, is_passing
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.core.confidential import NOTHING, Confidential

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

MAX_DELETED_PER_CALL = 50_000
"""Versions that one call removes at most, so that it ends in bounded time."""
DELETE_BATCH = 1000
"""The most that one DeleteObjects takes."""
DELETE_TRIES = 3
"""How often objects are named again that S3 was too busy for, while it deleted the others."""


@dataclass(frozen=True)
class NotRemoved:
    """Something that stays: what, in words, and what S3 said of it."""

    words: str
    said: Confidential = NOTHING


def delete_all_below(s3: "S3Client", *, prefix: S3Location) -> list[NotRemoved]:
    """See S3Objects.delete_below. Blocks; raises what botocore raises, too."""
    # Listed to the end before anything goes: a listing that continues at a deleted key is up to the server.
    found, complete = _versions(s3, prefix)
    left = [] if complete else [NotRemoved(f"{prefix.uri}: more than {MAX_DELETED_PER_CALL} objects")]
    for start in range(0, len(found), DELETE_BATCH):
        left.extend(_delete_batch(s3, prefix, found[start : start + DELETE_BATCH]))
    return left


def is_any_version_below(s3: "S3Client", *, prefix: S3Location) -> bool:
    """See S3Objects.is_any_version_below. Blocks; raises what botocore raises, too."""
    page = s3.list_object_versions(Bucket=prefix.bucket, Prefix=prefix.key, MaxKeys=1)
    return bool(page.get("Versions") or page.get("DeleteMarkers"))


def _versions(s3: "S3Client", prefix: S3Location) -> tuple[list["ObjectIdentifierTypeDef"], bool]:
    found: list[ObjectIdentifierTypeDef] = []
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
    for page in pages:
        for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            if len(found) == MAX_DELETED_PER_CALL:
                return found, False
            found.append({"Key": entry["Key"], "VersionId": entry["VersionId"]})
    return found, True


def _delete_batch(
    s3: "S3Client", prefix: S3Location, objects: list["ObjectIdentifierTypeDef"]
) -> list[NotRemoved]:
    left: list[NotRemoved] = []
    for _ in range(DELETE_TRIES):
        answer = s3.delete_objects(Bucket=prefix.bucket, Delete={"Objects": objects, "Quiet": True})
        objects = []
        for refusal in answer.get("Errors", []):
            if is_passing(refusal.get("Code", ""), 0):
                objects.append({"Key": refusal["Key"], "VersionId": refusal.get("VersionId", "null")})
            else:
                uri, code = S3Location(prefix.bucket, refusal.get("Key", "")).uri, refusal.get("Code", "")
                reason = "AccessDenied" if code in DENIED_CODES else "AwsRejected"
                said = Confidential(f"{code} {refusal.get('Message')}")
                left.append(NotRemoved(f"{uri} ({reason})", said))
        if not objects:
            return left
    raise AwsFailure(
        "AwsUnavailable",
        f"S3 is too busy to delete {len(objects)} objects below {prefix.uri}",
        retryable=True,
    )
