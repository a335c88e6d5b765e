"""What a bucket's policy denies under conditions: writing over what is there, in every way in which that can be done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws

ONCE: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::written-once/models/*",
    "Condition": {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    },
}
BUCKET, KEY = "written-once", "models/a.tar.gz"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAws]:
    with LocalAws() as server:
        server.client("s3").create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def s3(server: LocalAws) -> Any:
    """A client, and a bucket of which everything below models/ is written once."""
    s3 = server.client("s3")
    _put_policy(s3, ONCE)
    s3.delete_object(Bucket=BUCKET, Key=KEY)
    return s3


def _put_policy(s3: Any, *statements: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


def _refusal(call: Any, **parameters: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, Key=KEY, **parameters)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_a_write_that_would_overwrite_is_denied_whether_anything_is_there_or_not(s3: Any) -> None:
    assert _refusal(s3.put_object, Body=b"1") == (403, "AccessDenied")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"1", IfNoneMatch="*")
    assert _refusal(s3.put_object, Body=b"2") == (403, "AccessDenied")

    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"1"


def test_a_write_that_does_not_overwrite_is_allowed_once(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"1", IfNoneMatch="*")

    assert _refusal(s3.put_object, Body=b"2", IfNoneMatch="*") == (412, "PreconditionFailed")


def test_a_copy_is_denied(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"1")

    refused = _refusal(s3.copy_object, CopySource={"Bucket": BUCKET, "Key": "elsewhere"})

    assert refused == (403, "AccessDenied")


def test_an_upload_in_parts_is_denied_where_it_is_completed(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=KEY)["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key=KEY, UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}

    assert _refusal(s3.complete_multipart_upload, UploadId=upload, MultipartUpload=parts) == (
        403,
        "AccessDenied",
    )
    s3.complete_multipart_upload(
        Bucket=BUCKET, Key=KEY, UploadId=upload, MultipartUpload=parts, IfNoneMatch="*"
    )


def test_what_the_policy_does_not_name_is_as_it_was(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="other/a", Body=b"1")
    s3.put_object(Bucket=BUCKET, Key="other/a", Body=b"2")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"1", IfNoneMatch="*")

    assert s3.head_object(Bucket=BUCKET, Key=KEY)["ContentLength"] == 1
    s3.delete_object(Bucket=BUCKET, Key=KEY)


def test_a_statement_without_a_condition_is_still_judged_beside_it(s3: Any) -> None:
    nobody_reads = {**ONCE, "Action": "s3:GetObject", "Condition": {}}
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"1", IfNoneMatch="*")
    _put_policy(s3, ONCE, nobody_reads)

    assert _refusal(s3.get_object)[0] == 403


def test_what_cannot_be_judged_denies(s3: Any) -> None:
    _put_policy(s3, {**ONCE, "Condition": {"StringEquals": {"s3:x-amz-acl": "public-read"}}})

    assert _refusal(s3.put_object, Body=b"1", IfNoneMatch="*") == (403, "AccessDenied")


def test_a_policy_that_was_deleted_denies_nothing(s3: Any) -> None:
    s3.delete_bucket_policy(Bucket=BUCKET)

    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"1")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"2")
