"""Every error of botocore becomes one that a person can act on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure, aws_errors, aws_failure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects


def answered(code: str, status: int, **headers: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "AWS's own words"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(response, "DescribeEndpoint")


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        (answered("ThrottlingException", 400), "Throttled", True),
        (answered("SlowDown", 503), "Throttled", True),
        (answered("AccessDeniedException", 400), "AccessDenied", True),
        (answered("403", 403), "AccessDenied", True),
        (answered("ExpiredToken", 400), "CredentialsInvalid", True),
        (answered("SignatureDoesNotMatch", 403), "CredentialsInvalid", True),
        (answered("NoSuchBucket", 404), "BucketNotFound", False),
        (answered("NoSuchKey", 404), "NotFound", False),
        (answered("ResourceLimitExceeded", 400), "QuotaExceeded", True),
        (answered("InternalFailure", 500), "AwsUnavailable", True),
        (answered("SomethingNew", 429), "AwsUnavailable", True),
        (answered("ValidationException", 400), "AwsRejected", False),
        (NoCredentialsError(), "CredentialsMissing", True),
        (EndpointConnectionError(endpoint_url="http://aws"), "AwsUnreachable", True),
        (ReadTimeoutError(endpoint_url="http://aws"), "AwsUnreachable", True),
        (ParamValidationError(report="EndpointName is too long"), "AwsRejected", False),
    ],
    ids=str,
)
def test_each_error_has_its_reason(error: ClientError | BotoCoreError, reason: str, retryable: bool) -> None:
    failure = aws_failure(error, "describe endpoint x")
    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert failure.message.startswith("could not describe endpoint x: ")


def test_awss_own_words_are_passed_on() -> None:
    assert "AWS's own words" in aws_failure(answered("ValidationException", 400), "x").message


def test_how_long_to_wait_is_passed_on() -> None:
    assert aws_failure(answered("Throttling", 400, **{"retry-after": "7"}), "x").retry_after == 7.0
    assert aws_failure(answered("Throttling", 400, **{"retry-after": "soon"}), "x").retry_after is None


def test_what_is_not_awss_passes_through() -> None:
    with pytest.raises(KeyError), aws_errors("look something up"):
        raise KeyError("missing")


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3:///key", "http://bucket/key", "bucket/key"])
def test_what_is_no_s3_location_is_refused(uri: str) -> None:
    with pytest.raises(AwsFailure, match="should read s3://bucket/key"):
        S3Location.parse(uri)


def test_a_location_survives_being_taken_apart() -> None:
    location = S3Location.parse("s3://bucket/a/b.png")
    assert (location.bucket, location.key, location.name) == ("bucket", "a/b.png", "b.png")
    assert location.uri == "s3://bucket/a/b.png"
    assert S3Location.parse("s3://bucket/").below("a/").below("b").uri == "s3://bucket/a/b"
    assert S3Location.parse("s3://bucket/a").below("b").uri == "s3://bucket/a/b"


async def test_an_aws_that_cannot_be_reached_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr("avatar_operator.aws.clients.MAX_ATTEMPTS", 1)
    clients = AwsClients(endpoint_url="http://127.0.0.1:9")
    try:
        with pytest.raises(AwsFailure) as caught:
            await S3Objects(clients, "us-east-1").read(S3Location("bucket", "key"), max_bytes=1)
    finally:
        clients.close()
    assert (caught.value.reason, caught.value.retryable) == ("AwsUnreachable", True)
    assert "\n" not in caught.value.message
