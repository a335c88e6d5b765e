"""The AWS that the operator's real backend talks to in virtual time, and a book of everything that it was asked.

It stands where boto3's clients stand: whatever the operator sends has its bucket, its key and its target model here, as the
wire would have them, whichever port, location or status they came from. A server would see no more of them and take a
thousand times as long. What answers here is what S3 and SageMaker answer: the same members, the same errors, of names that
botocore would not even send, too.
"""

import asyncio
import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ParamValidationError

from avatar_operator.core.clock import Clock
from avatar_operator.core.tenant import current_tenant

T = TypeVar("T")
Answer = dict[str, Any]
BUCKETS = frozenset({"albums", "models", "photos", "pictures"})
MAX_KEY_BYTES = 1024
_BUCKET = re.compile(r"^[a-zA-Z0-9.\-_]{1,255}$")


@dataclass(frozen=True)
class Asked:
    """One call.

    Attributes:
        tenant: the namespace on whose behalf it was made; empty for the platform.
        verb: as boto3 calls it.
        place: the URI of the object or of the prefix; for the runtime, the target model or the inference id.
        details: what else was said.
    """

    tenant: str
    verb: str
    place: str
    details: dict[str, Any]


@dataclass(frozen=True)
class StoredObject:
    """What S3 has under a key. `sha256` is there if the writer had S3 check it."""

    body: bytes
    modified: datetime
    sha256: str | None = None


class RecordingAws:
    """AwsClients, without threads and sockets.

    Args:
        clock: dates what is stored.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.objects: dict[str, StoredObject] = {}
        """What lies in S3, by URI."""
        self.asked: list[Asked] = []
        self.undeletable: str | None = None
        """Part of the keys that may not be removed: a bucket's policy says so."""
        self.workers: Workers | None = None
        """What trains and draws."""

    def before_send(self) -> None:
        """See AwsClients."""

    async def s3(self, region: str, call: Callable[[Any], T]) -> T:
        """See AwsClients."""
        await asyncio.sleep(0)
        return call(_S3(self))

    async def submission(self, region: str, call: Callable[[Any], T]) -> T:
        """See AwsClients."""
        await asyncio.sleep(0)
        return call(_Runtime(self))

    async def invocation(self, region: str, call: Callable[[Any], T]) -> T:
        """See AwsClients."""
        assert self.workers is not None
        with self.workers.drawing() as seconds:
            await asyncio.sleep(seconds)
            return call(_Runtime(self))

    def store(self, uri: str, body: bytes, *, checked: bool = False) -> None:
        """Write an object, as somebody else."""
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode() if checked else None
        self.objects[uri] = StoredObject(body, self._clock.now(), digest)

    def below(self, prefix: str) -> list[str]:
        """The URIs that begin so, in S3's order."""
        return sorted(uri for uri in self.objects if uri.startswith(prefix))

    def note(self, verb: str, place: str, **details: Any) -> None:
        """Remember a call."""
        self.asked.append(Asked(current_tenant(), verb, place, details))

    def answer(self, **members: Any) -> Answer:
        """An answer of S3."""
        date = format_datetime(self._clock.now(), usegmt=True)
        return {**members, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"date": date}}}


class Workers:
    """What SageMaker runs. A test's to say."""

    def drawing(self) -> Any:
        """A context for the time that a draw takes; its value is the seconds."""
        raise NotImplementedError

    def train(self, submission: dict[str, Any]) -> dict[str, Any]:
        """Take a training; its locations are returned."""
        raise NotImplementedError

    def draw(self, target_model: str, body: bytes) -> bytes:
        """Draw; the document of the result is returned."""
        raise NotImplementedError


def refused(operation: str, status: int, code: str, message: str = "said") -> ClientError:
    """How AWS refuses."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


@dataclass(frozen=True)
class _S3:
    """boto3's client of S3, as far as the operator uses it."""

    aws: RecordingAws

    def get_object(self, **named: Any) -> Answer:
        found = self._find("get_object", named)
        return self.aws.answer(ContentLength=len(found.body), Body=io.BytesIO(found.body))

    def head_object(self, **named: Any) -> Answer:
        try:
            found = self._find("head_object", named)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise refused("HeadObject", status, str(status)) from error
        checksum = {} if found.sha256 is None else {"ChecksumSHA256": found.sha256}
        return self.aws.answer(ContentLength=len(found.body), ETag=_etag(found), **checksum)

    def put_object(self, **named: Any) -> Answer:
        uri = self._known("put_object", named["Bucket"], named["Key"])
        if "IfNoneMatch" in named and uri in self.aws.objects:
            raise refused("PutObject", 412, "PreconditionFailed")
        self.aws.store(uri, named["Body"])
        return self.aws.answer()

    def delete_object(self, **named: Any) -> Answer:
        uri = self._known("delete_object", named["Bucket"], named["Key"])
        if not self._removes(uri):
            raise refused("DeleteObject", 403, "AccessDenied")
        return self.aws.answer()

    def delete_objects(self, **named: Any) -> Answer:
        bucket, keys = named["Bucket"], [entry["Key"] for entry in named["Delete"]["Objects"]]
        denied = [key for key in keys if not self._removes(self._known("delete_objects", bucket, key))]
        return self.aws.answer(
            Errors=[{"Key": key, "Code": "AccessDenied", "Message": "said"} for key in denied]
        )

    def list_objects_v2(self, **named: Any) -> Answer:
        uris, delimiter = self._listed("list_objects_v2", named), named.get("Delimiter")
        beginning = len(f"s3://{named['Bucket']}/{named['Prefix']}")
        direct = [uri for uri in uris if not delimiter or delimiter not in uri[beginning:]]
        return self.aws.answer(Contents=[self._entry(uri) for uri in direct])

    def list_object_versions(self, **named: Any) -> Answer:
        uris = self._listed("list_object_versions", named)
        return self.aws.answer(Versions=[{**self._entry(uri), "VersionId": "null"} for uri in uris])

    def list_multipart_uploads(self, **named: Any) -> Answer:
        self._listed("list_multipart_uploads", named)
        return self.aws.answer()

    def get_paginator(self, verb: str) -> "_Pages":
        return _Pages(getattr(self, verb))

    def _removes(self, uri: str) -> bool:
        if self.aws.undeletable is not None and self.aws.undeletable in uri:
            return False
        self.aws.objects.pop(uri, None)
        return True

    def _entry(self, uri: str) -> Answer:
        stored = self.aws.objects[uri]
        key = uri.split("/", 3)[3]
        return {"Key": key, "Size": len(stored.body), "ETag": _etag(stored), "LastModified": stored.modified}

    def _listed(self, verb: str, named: Mapping[str, Any]) -> list[str]:
        uri = f"s3://{named['Bucket']}/{named['Prefix']}"
        self.aws.note(verb, uri, **named)
        _check_bucket(verb, named["Bucket"])
        return self.aws.below(uri)

    def _known(self, verb: str, bucket: str, key: str) -> str:
        uri = f"s3://{bucket}/{key}"
        self.aws.note(verb, uri)
        if not key:
            raise ParamValidationError(
                report="Invalid length for parameter Key, value: 0, valid min length: 1"
            )
        _check_bucket(verb, bucket)
        if len(key.encode()) > MAX_KEY_BYTES:
            raise refused(verb, 400, "KeyTooLongError")
        return uri

    def _find(self, verb: str, named: Mapping[str, Any]) -> StoredObject:
        uri = self._known(verb, named["Bucket"], named["Key"])
        if "VersionId" in named:
            raise refused(verb, 400, "InvalidArgument", "Invalid version id specified")
        if uri not in self.aws.objects:
            raise refused(verb, 404, "NoSuchKey")
        return self.aws.objects[uri]


@dataclass(frozen=True)
class _Pages:
    list_all: Callable[..., dict[str, Any]]

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self.list_all(**request)


@dataclass(frozen=True)
class _Runtime:
    """boto3's client of the SageMaker runtime, as far as the operator uses it."""

    aws: RecordingAws

    def invoke_endpoint_async(self, **submission: Any) -> dict[str, Any]:
        self.aws.note("invoke_endpoint_async", submission["InferenceId"], **submission)
        assert self.aws.workers is not None
        return self.aws.workers.train(submission)

    def invoke_endpoint(self, **invocation: Any) -> Answer:
        self.aws.note("invoke_endpoint", invocation["TargetModel"], **invocation)
        assert self.aws.workers is not None
        drawn = self.aws.workers.draw(invocation["TargetModel"], invocation["Body"])
        return {"Body": io.BytesIO(drawn)}


def _etag(stored: StoredObject) -> str:
    return f'"{hashlib.sha256(stored.body).hexdigest()[:32]}"'


def _check_bucket(verb: str, bucket: str) -> None:
    if _BUCKET.match(bucket) is None:
        raise ParamValidationError(report=f'Invalid bucket name "{bucket}"')
    if bucket not in BUCKETS:
        raise refused(verb, 404, "NoSuchBucket")
