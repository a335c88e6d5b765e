"""ObjectStorage on boto3.

A conditional write whose answer is lost would be retried by the client and then find its own object in the way. So
each write carries a random id in the object's metadata: on "precondition failed" the object is looked at, and if the
id is ours the write has succeeded. (S3 User Guide, "How to prevent object overwrites with conditional writes".)
"""

import base64
import contextlib
import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from avatar_api.documents.credentials import SessionCredentials
from avatar_workers.storage.object_storage import (
    ObjectChanged,
    ObjectExists,
    ObjectNotFound,
    ObjectSummary,
    ObjectTooLarge,
    StorageDenied,
    StorageUnavailable,
)
from avatar_workers.storage.s3_location import S3Location

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WRITE_ID = "write-id"
_STILL_EXPIRED = "refreshed credentials are still expired"
"""In the RuntimeError that botocore raises after a refresh in vain."""
CHUNK_BYTES = 1 << 20
MISSING_CODES = {"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404", "NotFound"}
DENIED_CODES = {
    "AccessDenied",
    "403",
    "Forbidden",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
}


class S3ObjectStorage:
    """Objects in S3, or in whatever AWS_ENDPOINT_URL names.

    Args:
        client: a boto3 S3 client; by default one with time limits and the standard retries.
    """

    def __init__(self, client: "S3Client | None" = None) -> None:
        self._s3: S3Client = client or _make_client(boto3.session.Session())

    def acting_with(self, credentials: Callable[[], SessionCredentials]) -> "S3ObjectStorage":
        """See ObjectStorage.acting_with."""

        def read() -> dict[str, str]:
            session = credentials()
            return {
                "access_key": session.access_key_id,
                "secret_key": session.secret_access_key,
                "token": session.session_token,
                "expiry_time": session.expiration.isoformat(),
            }

        session: Any = botocore.session.get_session()
        # botocore has no public way to give a session credentials that are renewed.
        session._credentials = RefreshableCredentials.create_from_metadata(read(), read, "avatar-operator")
        return S3ObjectStorage(_make_client(boto3.session.Session(botocore_session=session)))

    def read(
        self, uri: str, *, max_bytes: int, version_id: str | None = None, etag: str | None = None
    ) -> bytes:
        """See ObjectStorage.read."""
        return b"".join(self._stream(uri, max_bytes, version_id, etag))

    def download(self, uri: str, destination: Path, *, max_bytes: int) -> int:
        """See ObjectStorage.download."""
        size = 0
        with destination.open("xb") as file:
            for chunk in self._stream(uri, max_bytes, None, None):
                size += file.write(chunk)
        return size

    def list_objects(self, prefix_uri: str, *, max_objects: int) -> list[ObjectSummary]:
        """See ObjectStorage.list_objects."""
        prefix = S3Location.parse(prefix_uri)
        found: list[ObjectSummary] = []
        with _typed_errors(prefix_uri):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=prefix.bucket, Prefix=prefix.key
            )
            for page in pages:
                for entry in page.get("Contents", []):
                    if len(found) == max_objects:
                        raise ObjectTooLarge(prefix_uri, f"more than {max_objects} objects stand there")
                    found.append(ObjectSummary(str(S3Location(prefix.bucket, entry["Key"])), entry["Size"]))
        return found

    def create(
        self,
        uri: str,
        content: bytes | Path,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """See ObjectStorage.create."""
        location = S3Location.parse(uri)
        write_id = uuid.uuid4().hex
        sha256 = _sha256(content)
        with _typed_errors(uri):
            body = content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
            try:
                self._s3.put_object(
                    Bucket=location.bucket,
                    Key=location.key,
                    Body=body,
                    ContentType=content_type,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(sha256).decode(),
                    IfNoneMatch="*",
                    Metadata={**(metadata or {}), "sha256": sha256.hex(), WRITE_ID: write_id},
                )
            except ClientError as error:
                if _code(error) != "PreconditionFailed" or not self._is_ours(location, write_id):
                    raise
            finally:
                body.close()

    def delete(self, uri: str) -> None:
        """See ObjectStorage.delete."""
        location = S3Location.parse(uri)
        named: dict[str, Any] = {"Bucket": location.bucket, "Key": location.key}
        with contextlib.suppress(ObjectNotFound), _typed_errors(uri):
            # Without its version, a bucket that has versions would only hide the object.
            version = self._s3.head_object(**named).get("VersionId", "null")
            if version != "null":
                named["VersionId"] = version
            self._s3.delete_object(**named)

    def _is_ours(self, location: S3Location, write_id: str) -> bool:
        try:
            head = self._s3.head_object(Bucket=location.bucket, Key=location.key)
        except ClientError:
            return False
        return head["Metadata"].get(WRITE_ID) == write_id

    def _stream(self, uri: str, max_bytes: int, version_id: str | None, etag: str | None) -> Iterator[bytes]:
        location = S3Location.parse(uri)
        conditions: dict[str, Any] = {}
        if version_id is not None:
            conditions["VersionId"] = version_id
        if etag is not None:
            conditions["IfMatch"] = etag
        with _typed_errors(uri):
            answer = self._s3.get_object(Bucket=location.bucket, Key=location.key, **conditions)
            body = answer["Body"]
            try:
                if answer["ContentLength"] > max_bytes:
                    raise ObjectTooLarge(
                        uri, f"has {answer['ContentLength']} bytes, more than the {max_bytes} allowed"
                    )
                yield from body.iter_chunks(CHUNK_BYTES)
            finally:
                body.close()


def _make_client(session: boto3.session.Session) -> "S3Client":
    return session.client(
        "s3",
        region_name=os.environ.get("AWS_REGION"),
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=16,
        ),
    )


def _sha256(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return hashlib.sha256(content).digest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def _typed_errors(uri: str) -> Iterator[None]:
    """Translate botocore's errors into ours. Messages name codes, never credentials or headers."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in MISSING_CODES:
            raise ObjectNotFound(uri, "is not there") from error
        if code == "PreconditionFailed" and error.operation_name == "PutObject":
            raise ObjectExists(uri, "has been written by somebody else") from error
        if code == "PreconditionFailed":
            raise ObjectChanged(uri, "has changed since it was named") from error
        if code in DENIED_CODES:
            raise StorageDenied(
                uri, f"the worker's role may not {error.operation_name} here ({code})"
            ) from error
        raise StorageUnavailable(uri, f"{error.operation_name} failed with {code}") from error
    except NoCredentialsError as error:
        raise StorageDenied(uri, "the worker has no AWS credentials") from error
    except RuntimeError as error:
        if _STILL_EXPIRED not in str(error):
            raise
        raise StorageUnavailable(uri, "the operator has not renewed the credentials for this work") from error
    except (BotoCoreError, HTTPClientError) as error:
        raise StorageUnavailable(uri, f"S3 could not be reached ({type(error).__name__})") from error
