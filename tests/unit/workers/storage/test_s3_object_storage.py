"""Every outcome of the storage's few operations, over real HTTP."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from avatar_workers.storage import (
    ObjectChanged,
    ObjectExists,
    ObjectNotFound,
    ObjectTooLarge,
    S3ObjectStorage,
    StorageUnavailable,
)
from builders.aws_stub import aws_stub, s3_error


def test_what_was_created_is_read_back(storage: S3ObjectStorage, bucket: str) -> None:
    storage.create(f"s3://{bucket}/a", b"content", content_type="text/plain")
    assert storage.read(f"s3://{bucket}/a", max_bytes=7) == b"content"


def test_a_file_is_created_and_downloaded(storage: S3ObjectStorage, bucket: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(3 << 20))
    storage.create(f"s3://{bucket}/a", source, content_type="text/plain")
    assert storage.download(f"s3://{bucket}/a", target, max_bytes=3 << 20) == 3 << 20
    assert target.read_bytes() == source.read_bytes()


def test_a_write_carries_its_checksum(storage: S3ObjectStorage, s3: Any, bucket: str) -> None:
    storage.create(f"s3://{bucket}/a", b"content", content_type="text/plain", metadata={"model-uid": "u"})
    head = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    assert head["Metadata"]["sha256"] == hashlib.sha256(b"content").hexdigest()
    assert head["Metadata"]["model-uid"] == "u"
    assert head["ChecksumSHA256"]


def test_what_was_deleted_is_gone_and_may_be_deleted_again(storage: S3ObjectStorage, bucket: str) -> None:
    storage.create(f"s3://{bucket}/a", b"content", content_type="text/plain")
    storage.delete(f"s3://{bucket}/a")
    storage.delete(f"s3://{bucket}/a")
    with pytest.raises(ObjectNotFound):
        storage.read(f"s3://{bucket}/a", max_bytes=7)


def test_nothing_is_overwritten(storage: S3ObjectStorage, bucket: str) -> None:
    storage.create(f"s3://{bucket}/a", b"first", content_type="text/plain")
    with pytest.raises(ObjectExists) as caught:
        storage.create(f"s3://{bucket}/a", b"second", content_type="text/plain")
    assert caught.value.code == "AttemptFenced"
    assert storage.read(f"s3://{bucket}/a", max_bytes=9) == b"first"


class ClientThatLosesTheFirstAnswer:
    """Stands in for a broken connection: the write arrives, its answer does not, and the client writes again."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **arguments: Any) -> Any:
        self._client.put_object(**arguments)
        arguments["Body"].seek(0)
        return self._client.put_object(**arguments)


def test_a_write_whose_answer_was_lost_is_found_again(s3: Any, bucket: str) -> None:
    storage = S3ObjectStorage(ClientThatLosesTheFirstAnswer(s3))  # type: ignore[arg-type]
    storage.create(f"s3://{bucket}/a", b"mine", content_type="text/plain")
    assert storage.read(f"s3://{bucket}/a", max_bytes=9) == b"mine"


def test_an_object_above_the_limit_is_not_read(storage: S3ObjectStorage, bucket: str) -> None:
    storage.create(f"s3://{bucket}/a", b"content", content_type="text/plain")
    with pytest.raises(ObjectTooLarge, match="7 bytes, more than the 6"):
        storage.read(f"s3://{bucket}/a", max_bytes=6)


@pytest.mark.parametrize("uri", ["s3://{bucket}/absent", "s3://no-such-bucket-anywhere/a"])
def test_a_missing_object_or_bucket_is_not_found(storage: S3ObjectStorage, bucket: str, uri: str) -> None:
    with pytest.raises(ObjectNotFound):
        storage.read(uri.format(bucket=bucket), max_bytes=1)


def test_an_overwritten_object_is_noticed_by_its_etag(storage: S3ObjectStorage, s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"old")["ETag"]
    assert storage.read(f"s3://{bucket}/a", max_bytes=9, etag=etag) == b"old"
    s3.put_object(Bucket=bucket, Key="a", Body=b"new")
    with pytest.raises(ObjectChanged):
        storage.read(f"s3://{bucket}/a", max_bytes=9, etag=etag)


def test_a_version_is_read_although_a_newer_one_is_there(
    storage: S3ObjectStorage, s3: Any, bucket: str
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"old")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"new")
    assert storage.read(f"s3://{bucket}/a", max_bytes=9, version_id=version) == b"old"


def test_a_listing_is_bounded(storage: S3ObjectStorage, s3: Any, bucket: str) -> None:
    for key in ("p/1", "p/2", "q/3"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert [entry.uri for entry in storage.list_objects(f"s3://{bucket}/p/", max_objects=2)] == [
        f"s3://{bucket}/p/1",
        f"s3://{bucket}/p/2",
    ]
    with pytest.raises(ObjectTooLarge):
        storage.list_objects(f"s3://{bucket}/p/", max_objects=1)


def test_an_unreachable_s3_is_unavailable_and_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable) as caught:
        S3ObjectStorage().read("s3://bucket/a", max_bytes=1)
    assert caught.value.document.retryable


def test_credentials_that_have_ended_may_be_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    with aws_stub(lambda _: s3_error(400, "ExpiredToken")) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
        with pytest.raises(StorageUnavailable) as caught:
            S3ObjectStorage().read("s3://bucket/a", max_bytes=1)
    assert caught.value.document.retryable
