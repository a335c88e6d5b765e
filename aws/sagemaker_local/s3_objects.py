"""The few things that a data plane does with S3: read, write, and tell "not there" from "went wrong"."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope

_S3_HOST = re.compile(r"(?:(?P<bucket>[a-z0-9.-]+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


class S3Failure(Exception):
    """An S3 call that failed. `missing` tells that the object or its bucket does not exist."""

    def __init__(self, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key (or a key prefix)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, url: str) -> S3Location:
        """Read `s3://bucket/key` or the `https://` URL of an object in AWS's S3, path style or virtual-hosted.

        Raises:
            ValueError: when it is neither, or there is no bucket in it.
        """
        if url.startswith("s3://"):
            bucket, _, key = url.removeprefix("s3://").partition("/")
        elif url.startswith("https://"):
            bucket, key = _bucket_and_key(url)
        else:
            raise ValueError(f"{url!r} is not an S3 location: it must start with s3:// or https://")
        if not bucket:
            raise ValueError(f"{url!r} names no bucket")
        return cls(bucket, key)

    @classmethod
    def served_at(cls, url: str, address: str) -> S3Location | None:
        """What an `http://` URL of this very server names, such as a presigned one; None for any other URL.

        Arguments:
            address: host and port by which the server is known to whoever gives the URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.netloc.endswith(address):
            return None
        virtual, path = parts.netloc.removesuffix(address), unquote(parts.path).lstrip("/")
        if virtual.endswith("."):
            return cls(virtual[:-1], path)
        bucket, _, key = path.partition("/")
        return cls(bucket, key) if bucket and not virtual else None

    def child(self, *parts: str) -> S3Location:
        """The location below this prefix."""
        return S3Location(
            self.bucket, "/".join(part.strip("/") for part in (self.key, *parts) if part.strip("/"))
        )

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class S3Objects:
    """S3 in one scope."""

    def __init__(self, clients: AwsClients, scope: Scope) -> None:
        self._clients = clients
        self._scope = scope

    def read(self, location: S3Location, limit: int) -> bytes:
        """The object's bytes.

        Raises:
            S3Failure: when it is missing, larger than `limit` bytes, or S3 refuses.
        """
        return self.read_typed(location, limit)[0]

    def read_typed(self, location: S3Location, limit: int) -> tuple[bytes, str | None]:
        """The object's bytes and its Content-Type; raises S3Failure as `read` does."""
        response = self._call("get_object", location)
        if response["ContentLength"] > limit:
            response["Body"].close()
            raise S3Failure(f"{location} has {response['ContentLength']} bytes; the limit is {limit}")
        with contextlib.closing(response["Body"]) as body:
            return bytes(body.read()), response.get("ContentType")

    def download(self, location: S3Location, target: Path, limit: int) -> int:
        """Write the object to a file. Returns its size in bytes; raises S3Failure as `read` does."""
        response = self._call("get_object", location)
        if response["ContentLength"] > limit:
            response["Body"].close()
            raise S3Failure(f"{location} has {response['ContentLength']} bytes; the limit is {limit}")
        with contextlib.closing(response["Body"]) as body, target.open("wb") as file:
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
        return int(response["ContentLength"])

    def write(
        self, location: S3Location, body: bytes, content_type: str | None, kms_key: str | None = None
    ) -> None:
        """Put the object, encrypted with a KMS key if one is given. Raises S3Failure when S3 refuses."""
        extra = {"ContentType": content_type} if content_type else {}
        if kms_key:
            extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
        self._call("put_object", location, Body=body, **extra)

    def _call(self, operation: str, location: S3Location, **arguments: Any) -> Any:
        client = self._clients.client("s3", self._scope)
        try:
            return getattr(client, operation)(Bucket=location.bucket, Key=location.key, **arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise S3Failure(
                f"{operation} {location}: {code}", missing=code in ("NoSuchKey", "NoSuchBucket", "404")
            ) from error
        except BotoCoreError as error:
            raise S3Failure(f"{operation} {location}: {error}") from error


def _bucket_and_key(url: str) -> tuple[str, str]:
    """From an S3 URL, virtual-hosted when AWS's host name carries a bucket, else path style."""
    parts = urlsplit(url)
    host, path = _S3_HOST.fullmatch(parts.hostname or ""), unquote(parts.path).lstrip("/")
    if host is None:
        raise ValueError(f"{url!r} is not an S3 location: {parts.hostname or 'it'} is not a host of S3")
    if host["bucket"]:
        return host["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key
