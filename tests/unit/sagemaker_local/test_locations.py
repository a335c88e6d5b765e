"""S3 locations, and where results go."""

from __future__ import annotations

import uuid

import pytest

from sagemaker_local.async_inference.locations import failure_location, output_location
from sagemaker_local.s3_objects import S3Location

ID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://bucket/a/b c.json", "bucket", "a/b c.json"),
        ("s3://bucket", "bucket", ""),
        ("https://bucket.s3.us-east-1.amazonaws.com/a/b", "bucket", "a/b"),
        ("https://dotted.bucket.s3.amazonaws.com/a", "dotted.bucket", "a"),
        ("https://s3.us-east-1.amazonaws.com/bucket/a/b", "bucket", "a/b"),
        ("https://my.s3.bucket.s3.us-east-1.amazonaws.com/a", "my.s3.bucket", "a"),
        ("https://bucket.s3.dualstack.eu-west-1.amazonaws.com/a", "bucket", "a"),
        ("https://s3.cn-north-1.amazonaws.com.cn/bucket/a%20b", "bucket", "a b"),
    ],
)
def test_a_location_is_read(url: str, bucket: str, key: str) -> None:
    assert S3Location.parse(url) == S3Location(bucket, key)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://127.0.0.1:4566/bucket/a%20b?X-Amz-Signature=1", S3Location("bucket", "a b")),
        ("http://bucket.127.0.0.1:4566/a/b", S3Location("bucket", "a/b")),
        ("http://127.0.0.1:4566/", None),
        ("http://127.0.0.1:4567/bucket/a", None),
        ("http://elsewhere-127.0.0.1:4566/bucket/a", None),
        ("https://127.0.0.1:4566/bucket/a", None),
        ("s3://bucket/a", None),
    ],
)
def test_only_urls_of_the_server_itself_name_its_objects(url: str, location: S3Location | None) -> None:
    assert S3Location.served_at(url, "127.0.0.1:4566") == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bucket/key",
        "ftp://bucket/key",
        "s3:///key",
        "s3://",
        "http://127.0.0.1:4566/bucket/key",
        "https://example.com/bucket/key",
        "https://s3.us-east-1.amazonaws.com.example.com/bucket/key",
    ],
)
def test_what_is_no_location_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"S3 location|names no bucket"):
        S3Location.parse(url)


@pytest.mark.parametrize("key", ["a#b", "a?b", "a%2Fb", "ü"])
def test_keys_are_taken_literally(key: str) -> None:
    assert S3Location.parse(f"s3://bucket/{key}").key == key


@pytest.mark.parametrize(
    ("path", "extension", "filename", "output", "failure"),
    [
        ("s3://b/out", None, None, f"s3://b/out/{ID}.out", f"s3://b/out/{ID}-error.out"),
        ("s3://b/out/", None, "r.json", "s3://b/out/r.json", "s3://b/out/r-error.json"),
        ("s3://b", "x/y/", "r", "s3://b/x/y/r", "s3://b/x/y/r-error"),
    ],
)
def test_results_are_named(
    path: str, extension: str | None, filename: str | None, output: str, failure: str
) -> None:
    assert str(output_location(path, extension, filename, ID)) == output
    assert str(failure_location(path, extension, filename, ID)) == failure
