"""Multipart uploads that were begun and never completed: no listing of objects shows them, and S3 keeps their parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from avatar_operator.aws.ages import age_seconds
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import aws_errors, error_code
from avatar_operator.aws.s3_deletion import NotRemoved
from avatar_operator.aws.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_UPLOADS_PER_CALL = 1000
ALREADY_GONE = "NoSuchUpload"


@dataclass(frozen=True)
class StartedUpload:
    """One upload that is under way, or was left. `age_seconds` is by S3's own clock."""

    location: S3Location
    upload_id: str
    age_seconds: float


class S3Uploads:
    """Multipart uploads as one region's S3 endpoint reaches them.

    Args:
        clients: where calls run.
        region: the region of the client.
    """

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients = clients
        self._region = region

    async def list_below(self, prefix: S3Location) -> list[StartedUpload]:
        """The first uploads under a prefix."""
        with aws_errors(f"list uploads below {prefix.uri}"):
            return await self._clients.s3(self._region, lambda s3: _first(s3, prefix)[0])

    async def abort_below(self, prefix: S3Location) -> list[NotRemoved]:
        """End every upload under a prefix and remove its parts.

        Returns:
            Whether something is left for another call.
        """

        def abort_all(s3: "S3Client") -> list[NotRemoved]:
            uploads, complete = _first(s3, prefix)
            for upload in uploads:
                try:
                    s3.abort_multipart_upload(
                        Bucket=upload.location.bucket, Key=upload.location.key, UploadId=upload.upload_id
                    )
                except ClientError as error:
                    if error_code(error) != ALREADY_GONE:
                        raise
            more = NotRemoved(f"{prefix.uri}: more than {MAX_UPLOADS_PER_CALL} unfinished uploads")
            return [] if complete else [more]

        with aws_errors(f"abort uploads below {prefix.uri}"):
            return await self._clients.s3(self._region, abort_all)


def _first(s3: "S3Client", prefix: S3Location) -> tuple[list[StartedUpload], bool]:
    found: list[StartedUpload] = []
    for upload in _uploads(s3, prefix):
        if len(found) == MAX_UPLOADS_PER_CALL:
            return found, False
        found.append(upload)
    return found, True


def _uploads(s3: "S3Client", prefix: S3Location) -> Iterator[StartedUpload]:
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
    for page in pages:
        for entry in page.get("Uploads", []):
            location = S3Location(prefix.bucket, entry["Key"])
            yield StartedUpload(location, entry["UploadId"], age_seconds(page, entry["Initiated"]))
