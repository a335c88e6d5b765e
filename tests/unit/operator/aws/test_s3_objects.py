"""What S3 says in between: refusals without words, and trouble that passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_deletion import NotRemoved
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.core.confidential import Confidential
from builders.aws_stub import Answer, AwsStub, Call, aws_stub, s3_error

PHOTO = S3Location("photos", "ann/1.png")
PREFIX = S3Location("photos", "ann/")


@contextmanager
def objects(answer: Callable[[Call], Answer]) -> Iterator[tuple[AwsStub, S3Objects]]:
    with aws_stub(answer) as stub:
        clients = AwsClients(endpoint_url=stub.url)
        try:
            yield stub, S3Objects(clients, "us-east-1")
        finally:
            clients.close()


@pytest.mark.parametrize(
    ("status", "code", "reason", "retryable"),
    [
        (400, "ExpiredToken", "CredentialsExpired", True),
        (400, "InvalidArgument", "AwsRejected", False),
        (403, "AccessDenied", "AccessDenied", True),
        (403, "RequestTimeTooSkewed", "ClockSkewed", True),
        (403, "InvalidAccessKeyId", "CredentialsInvalid", True),
    ],
)
async def test_a_refusal_without_words_is_asked_for_its_reason(
    status: int, code: str, reason: str, retryable: bool
) -> None:
    def answer(call: Call) -> Answer:
        return Answer(status) if call.method == "HEAD" else s3_error(status, code)

    with objects(answer) as (_, s3), pytest.raises(AwsFailure) as caught:
        await s3.facts(PHOTO, version_id="v")
    assert (caught.value.reason, caught.value.retryable) == (reason, retryable)


LISTED = Answer(
    200,
    b"<ListVersionsResult>"
    b"<Version><Key>ann/1</Key><VersionId>a</VersionId></Version>"
    b"<Version><Key>ann/2</Key><VersionId>b</VersionId></Version>"
    b"</ListVersionsResult>",
)


def refusing(code: str) -> Answer:
    """DeleteObjects that deleted all but one."""
    return Answer(
        200,
        f"<DeleteResult><Error><Key>ann/2</Key><VersionId>b</VersionId><Code>{code}</Code>"
        "<Message>said</Message></Error></DeleteResult>".encode(),
    )


async def test_a_deletion_that_fails_once_costs_less_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)
    answers = [Answer(500, b"<!doctype html><title>500</title>"), LISTED, Answer(200, b"<DeleteResult/>")]
    with objects(lambda call: answers.pop(0)) as (_, s3):
        assert await s3.delete_below(PREFIX) == []
    assert len(waits) == 1
    assert waits[0] < 1


async def test_trouble_that_lasts_is_given_back_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waits.append)
    with objects(lambda call: s3_error(503, "SlowDown")) as (_, s3), pytest.raises(AwsFailure) as caught:
        await s3.delete_below(PREFIX)
    assert caught.value.reason == "Throttled"
    assert sum(waits) < 3


@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
async def test_an_object_that_s3_was_too_busy_for_is_named_again_at_once(code: str) -> None:
    answers = [LISTED, refusing(code), Answer(200, b"<DeleteResult/>")]
    with objects(lambda call: answers.pop(0)) as (stub, s3):
        assert await s3.delete_below(PREFIX) == []
    assert re.findall(rb"<Key>(.*?)</Key>", stub.calls[2].body) == [b"ann/2"]


async def test_an_object_that_s3_stays_too_busy_for_is_no_object_that_is_left_behind() -> None:
    def busy(call: Call) -> Answer:
        return LISTED if call.method == "GET" else refusing("SlowDown")

    with objects(busy) as (_, s3), pytest.raises(AwsFailure) as caught:
        await s3.delete_below(PREFIX)
    assert (caught.value.reason, caught.value.retryable) == ("AwsUnavailable", True)


async def test_an_object_that_s3_refuses_to_delete_is_left_behind() -> None:
    with objects(lambda call: LISTED if call.method == "GET" else refusing("AccessDenied")) as (_, s3):
        assert await s3.delete_below(PREFIX) == [
            NotRemoved("s3://photos/ann/2 (AccessDenied)", Confidential("AccessDenied said"))
        ]
