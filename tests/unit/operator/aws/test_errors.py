"""Every error of botocore becomes one that a person can act on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import FAILURE_REASONS, AwsFailure, aws_errors, aws_failure
from avatar_operator.aws.public_sentences import public_sentence
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects


def answered(
    code: str, status: int, said: str = "AWS's own words", operation: str = "DescribeEndpoint", **headers: str
) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": said},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    return ClientError(response, operation)


NO_KEY_FOR_PHOTOS = (
    "User: arn:aws:sts::1:assumed-role/operator/s is not authorized to perform: kms:Decrypt on resource: k"
)
NO_PHOTOS = (
    "User: arn:aws:sts::1:assumed-role/operator/s is not authorized to perform: s3:GetObject on resource:"
    ' "arn:aws:s3:::photos/is not authorized to perform: kms:Decrypt"'
)
ANSWERS = [
    ("ThrottlingException", 400, "", "Throttled", True),
    ("SlowDown", 503, "", "Throttled", True),
    ("KMS.ThrottlingException", 400, "", "Throttled", True),
    ("KMSThrottling", 400, "", "Throttled", True),
    ("AccessDeniedException", 400, "", "AccessDenied", True),
    ("AccessDenied", 403, NO_PHOTOS, "AccessDenied", True),
    ("403", 403, "Forbidden", "AccessDenied", True),
    ("OptInRequired", 403, "", "AccessDenied", True),
    ("AccessDenied", 403, NO_KEY_FOR_PHOTOS, "KeyDenied", True),
    ("KMS.AccessDeniedException", 400, "", "KeyDenied", True),
    ("KMSAccessDenied", 400, "", "KeyDenied", True),
    ("KmsOptInRequired", 403, "", "KeyDenied", True),
    ("KMS.DisabledException", 400, "", "KeyUnusable", True),
    ("KMS.KMSInvalidStateException", 400, "", "KeyUnusable", True),
    ("KMSNotFound", 400, "", "KeyUnusable", True),
    ("RequestTimeTooSkewed", 403, "", "ClockSkewed", True),
    ("RequestExpired", 400, "", "ClockSkewed", True),
    ("RequestInTheFuture", 403, "", "ClockSkewed", True),
    ("SignatureDoesNotMatch", 403, "Signature expired: 1 is now earlier than 2", "ClockSkewed", True),
    ("InvalidSignatureException", 400, "Signature not yet current: 2", "ClockSkewed", True),
    ("SignatureDoesNotMatch", 403, "The signature we calculated differs", "CredentialsInvalid", True),
    ("ExpiredToken", 400, "", "CredentialsExpired", True),
    ("ExpiredTokenException", 403, "", "CredentialsExpired", True),
    ("InvalidToken", 400, "", "CredentialsInvalid", True),
    ("InvalidAccessKeyId", 403, "", "CredentialsInvalid", True),
    ("InvalidClientTokenId", 403, "", "CredentialsInvalid", True),
    ("UnrecognizedClientException", 400, "", "CredentialsInvalid", True),
    ("MissingAuthenticationToken", 403, "", "CredentialsInvalid", True),
    ("NoSuchBucket", 404, "", "BucketNotFound", True),
    ("NoSuchKey", 404, "", "NotFound", False),
    ("ResourceLimitExceeded", 400, "", "QuotaExceeded", True),
    ("InsufficientCapacity", 400, "", "InsufficientCapacity", True),
    ("InternalFailure", 500, "", "AwsUnavailable", True),
    ("InternalDependencyException", 530, "", "AwsUnavailable", True),
    ("SomethingNew", 429, "", "AwsUnavailable", True),
    ("RequestTimeout", 400, "", "AwsUnavailable", True),
    ("OperationAborted", 409, "", "AwsUnavailable", True),
    ("ResourceInUse", 400, "", "AwsUnavailable", True),
    ("ValidationException", 400, "a name with kms: and Signature expired in it", "AwsRejected", False),
    ("InvalidArgument", 400, "Invalid version id specified", "AwsRejected", False),
]


@pytest.mark.parametrize(("code", "status", "said", "reason", "retryable"), ANSWERS)
def test_each_answer_has_its_reason(code: str, status: int, said: str, reason: str, retryable: bool) -> None:
    failure = aws_failure(answered(code, status, said), "describe endpoint x")
    assert (failure.reason, failure.retryable, failure.retry_after) == (reason, retryable, None)
    assert failure.said.begin_with(f"could not describe endpoint x: AWS says {code}: ")
    assert failure.message == public_sentence(reason)


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        (NoCredentialsError(), "CredentialsMissing", True),
        (ProfileNotFound(profile="platform"), "CredentialsMissing", True),
        (ConfigParseError(path="/credentials"), "CredentialsMissing", True),
        (UnauthorizedSSOTokenError(), "CredentialsMissing", True),
        (EndpointConnectionError(endpoint_url="http://aws"), "AwsUnreachable", True),
        (ReadTimeoutError(endpoint_url="http://aws"), "AwsUnreachable", True),
        (ResponseParserError("<!doctype html>"), "AwsUnreachable", True),
        (ParamValidationError(report="EndpointName is too long"), "AwsRejected", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_call_without_an_answer_has_its_reason(
    error: BotoCoreError | ResponseParserError, reason: str, retryable: bool
) -> None:
    failure = aws_failure(error, "describe endpoint x")
    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert failure.said.begin_with("could not describe endpoint x: ")
    assert failure.message == public_sentence(reason)


def test_a_role_that_may_not_be_assumed_is_no_missing_permission_of_the_call() -> None:
    error = answered("AccessDenied", 403, operation="AssumeRoleWithWebIdentity")
    failure = aws_failure(error, "read s3://photos/1.png")
    assert failure.reason == "CredentialsInvalid"
    assert failure.said.mention("trust policy")


def test_a_token_service_that_is_down_says_nothing_about_the_role() -> None:
    error = answered("ServiceUnavailable", 503, operation="AssumeRole")
    assert aws_failure(error, "x").reason == "AwsUnavailable"


def test_awss_own_words_are_passed_on_to_those_who_may_read_them() -> None:
    failure = aws_failure(answered("ValidationException", 400), "x")
    assert failure.said.mention("AWS's own words")
    assert "AWS's own words" not in f"{failure} {failure.message} {failure.said} {failure.said!r}"


def test_each_reason_has_its_sentence() -> None:
    assert len({public_sentence(reason) for reason in FAILURE_REASONS}) == len(FAILURE_REASONS)


def test_how_long_to_wait_is_passed_on() -> None:
    assert aws_failure(answered("Throttling", 400, **{"retry-after": "7"}), "x").retry_after == 7.0
    assert aws_failure(answered("Throttling", 400, **{"retry-after": "soon"}), "x").retry_after is None
    assert aws_failure(answered("Throttling", 400, **{"retry-after": "nan"}), "x").retry_after is None


def test_nobody_puts_us_to_sleep_for_an_hour() -> None:
    assert aws_failure(answered("SlowDown", 503, **{"retry-after": "3600"}), "x").retry_after == 300.0


def test_what_is_not_awss_passes_through() -> None:
    with pytest.raises(KeyError), aws_errors("look something up"):
        raise KeyError("missing")


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3:///key", "http://bucket/key", "bucket/key"])
def test_what_is_no_s3_location_is_refused(uri: str) -> None:
    with pytest.raises(AwsFailure, match="does not read s3://bucket/key"):
        S3Location.parse(uri)


@pytest.mark.parametrize(
    "uri",
    ["s3://b/a/../c.png", "s3://b/a//c.png", "s3://b/%2e%2e/c.png", "s3://b/a%2Fc.png", "s3://b/a\\c.png"],
)
def test_what_a_user_names_has_to_read_the_same_to_everybody(uri: str) -> None:
    with pytest.raises(AwsFailure) as caught:
        S3Location.told(uri)

    assert "may mean another object" in caught.value.said.reveal()
    assert (caught.value.reason, caught.value.retryable) == ("InvalidLocation", False)
    assert S3Location.told("s3://b/Ann & Bob/ä+1.png").name == "ä+1.png"


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
    assert "\n" not in caught.value.said.reveal()
