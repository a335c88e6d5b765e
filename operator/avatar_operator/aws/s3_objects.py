"""The little that the operator does with S3 objects. Every read has a limit, every listing an end.

A missing object is an answer here (None), not an error; everything else raises AwsFailure.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from avatar_operator.aws.ages import age_seconds
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.error_codes import MISSING_OBJECT_CODES
from avatar_operator.aws.errors import aws_errors, error_code, http_status
from avatar_operator.aws.s3_deletion import NotRemoved, delete_all_below, is_any_version_below
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_uploads import S3Uploads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestTypeDef,
    )

LISTED_PER_PAGE = 1000
"""The most that one ListObjectsV2 gives."""
JSON = "application/json"
CONDITION_FAILED = (409, 412)
UNEXPLAINED_CODES = ("400", "403")
"""How a HEAD is refused: no body says why, so botocore shows the status."""


class ObjectTooLarge(Exception):
    """An object has more bytes than whoever reads it takes: it was not read, and what that means is the reader's to say."""


@dataclass(frozen=True)
class ListedObject:
    """One object of a listing. `age_seconds` is by S3's own clock."""

    location: S3Location
    size_bytes: int
    etag: str
    modified: datetime
    age_seconds: float


@dataclass(frozen=True)
class ObjectFacts:
    """What S3 says of one object without sending it.

    `sha256` is the checksum that S3 verified when the object was written, in hexadecimal, or None if the writer gave
    none for the whole object.
    """

    size_bytes: int
    etag: str
    version_id: str | None
    sha256: str | None


class S3Objects:
    """Objects as one region's S3 endpoint reaches them.

    Args:
        clients: where calls run.
        region: the region of the client; buckets elsewhere are found by S3's own redirects.
    """

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients = clients
        self._region = region
        self.uploads = S3Uploads(clients, region)
        """What is not an object yet."""

    async def read(self, location: S3Location, *, max_bytes: int) -> bytes | None:
        """The object's content, or None if there is no such object.

        Raises:
            ObjectTooLarge: it has more than `max_bytes`.
            AwsFailure: whatever S3 says otherwise.
        """

        def read_whole(answer: "GetObjectOutputTypeDef") -> bytes:
            if answer["ContentLength"] > max_bytes:
                raise ObjectTooLarge(
                    f"{location.uri} has {answer['ContentLength']} bytes, more than the {max_bytes} expected at most"
                )
            return answer["Body"].read()

        return await self._get(location, read_whole)

    async def read_beginning(self, location: S3Location, *, max_bytes: int) -> bytes | None:
        """The first bytes of an object, however large it is, or None if there is no such object."""
        return await self._get(location, lambda answer: answer["Body"].read(max_bytes))

    async def _get(
        self, location: S3Location, read: "Callable[[GetObjectOutputTypeDef], bytes]"
    ) -> bytes | None:
        def get(s3: "S3Client") -> bytes | None:
            try:
                answer = s3.get_object(Bucket=location.bucket, Key=location.key)
            except ClientError as error:
                if error_code(error) in MISSING_OBJECT_CODES:
                    return None
                raise
            with answer["Body"]:
                return read(answer)

        with aws_errors(f"read {location.uri}"):
            return await self._clients.s3(self._region, get)

    async def write(self, location: S3Location, content: bytes, *, content_type: str) -> None:
        """Write an object, whatever stands there."""
        with aws_errors(f"write {location.uri}"):
            await self._clients.s3(
                self._region,
                lambda s3: s3.put_object(
                    Bucket=location.bucket, Key=location.key, Body=content, ContentType=content_type
                ),
            )

    async def create(self, location: S3Location, content: bytes, *, content_type: str) -> bool:
        """Write an object whose key is free.

        Returns:
            False if the key is taken (perhaps by ourselves, if an answer was lost and the client tried again) or is
            being written just now: read it to learn by whom, and try again if it is not there.

        Source: S3 User Guide, "How to prevent object overwrites with conditional writes": 412 if the key is taken, 409
        if a conflicting request is under way.
        """

        def put(s3: "S3Client") -> bool:
            try:
                s3.put_object(
                    Bucket=location.bucket,
                    Key=location.key,
                    Body=content,
                    ContentType=content_type,
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if http_status(error) in CONDITION_FAILED:
                    return False
                raise
            return True

        with aws_errors(f"write {location.uri}"):
            return await self._clients.s3(self._region, put)

    async def facts(self, location: S3Location, *, version_id: str | None = None) -> ObjectFacts | None:
        """What S3 says of an object, or None if it (or its version, or its bucket) is not there.

        HeadObject answers without a body, so a missing bucket looks like a missing object, and an expired token like
        a version id that is none. What it refuses without a reason is asked for its first byte, which is refused in
        words.
        """
        named: dict[str, Any] = {"Bucket": location.bucket, "Key": location.key}
        if version_id is not None:
            named["VersionId"] = version_id

        def head(s3: "S3Client") -> "HeadObjectOutputTypeDef | None":
            try:
                return s3.head_object(**named, ChecksumMode="ENABLED")
            except ClientError as error:
                if error_code(error) in MISSING_OBJECT_CODES:
                    return None
                if error_code(error) in UNEXPLAINED_CODES:
                    s3.get_object(**named, Range="bytes=0-0")["Body"].close()
                raise

        with aws_errors(f"look at {location.uri}"):
            answer = await self._clients.s3(self._region, head)
        if answer is None:
            return None
        version = answer.get("VersionId")
        return ObjectFacts(
            size_bytes=answer["ContentLength"],
            etag=answer["ETag"],
            version_id=None if version == "null" else version,
            sha256=_hexadecimal(answer.get("ChecksumSHA256")),
        )

    async def list_directly(self, prefix: S3Location, *, limit: int) -> list[ListedObject]:
        """The first objects directly under a prefix, in the order of their keys: no deeper ones, no folder markers."""
        return await self._list(prefix, limit=limit, delimiter="/")

    async def list_below(self, prefix: S3Location, *, limit: int) -> list[ListedObject]:
        """The first objects anywhere under a prefix, in the order of their keys."""
        return await self._list(prefix, limit=limit, delimiter="")

    async def pages_below(self, prefix: S3Location) -> AsyncGenerator[list[ListedObject], None]:
        """Every object anywhere under a prefix, page by page, for as long as somebody asks for another one."""
        request: ListObjectsV2RequestTypeDef = {
            "Bucket": prefix.bucket,
            "Prefix": prefix.key,
            "MaxKeys": LISTED_PER_PAGE,
        }
        while True:
            with aws_errors(f"list {prefix.uri}"):
                page = await self._clients.s3(self._region, partial(_read_page, request=request))
            yield _listed(prefix, page)
            if "NextContinuationToken" not in page:
                return
            request = {**request, "ContinuationToken": page["NextContinuationToken"]}

    async def _list(self, prefix: S3Location, *, limit: int, delimiter: str) -> list[ListedObject]:
        def read_pages(s3: "S3Client") -> list[ListedObject]:
            found: list[ListedObject] = []
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key, Delimiter=delimiter
            )
            for page in pages:
                found.extend(_listed(prefix, page))
                if len(found) >= limit:
                    break
            return found[:limit]

        with aws_errors(f"list {prefix.uri}"):
            return await self._clients.s3(self._region, read_pages)

    async def delete(self, location: S3Location) -> None:
        """Remove an object. It need not exist. In a bucket with versions the old ones stay: see `delete_below`."""
        with aws_errors(f"delete {location.uri}"):
            await self._clients.s3(
                self._region, lambda s3: s3.delete_object(Bucket=location.bucket, Key=location.key)
            )

    async def delete_below(self, prefix: S3Location) -> list[NotRemoved]:
        """Remove every object under a prefix with all its versions and delete markers.

        Returns:
            What S3 refused to remove, and whether something is left for another call.

        Raises:
            AwsFailure: the listing or a whole batch failed, or S3 stays too busy for some of it.
        """

        with aws_errors(f"delete everything below {prefix.uri}"):
            return await self._clients.s3(self._region, partial(delete_all_below, prefix=prefix))

    async def is_any_version_below(self, prefix: S3Location) -> bool:
        """Whether `delete_below` would find anything: objects, what is left of objects that were deleted, delete markers."""
        with aws_errors(f"list versions below {prefix.uri}"):
            return await self._clients.s3(self._region, partial(is_any_version_below, prefix=prefix))


def _read_page(s3: "S3Client", request: "ListObjectsV2RequestTypeDef") -> "ListObjectsV2OutputTypeDef":
    return s3.list_objects_v2(**request)


def _listed(prefix: S3Location, page: "ListObjectsV2OutputTypeDef") -> list[ListedObject]:
    return [
        ListedObject(
            S3Location(prefix.bucket, entry["Key"]),
            entry["Size"],
            entry["ETag"],
            entry["LastModified"],
            age_seconds(page, entry["LastModified"]),
        )
        for entry in page.get("Contents", [])
        if not entry["Key"].endswith("/")
    ]


def _hexadecimal(checksum: str | None) -> str | None:
    # A multipart upload has a checksum of its parts' checksums ("...-3"): it says nothing about the whole object.
    try:
        return None if checksum is None else base64.b64decode(checksum, validate=True).hex()
    except binascii.Error:
        return None
