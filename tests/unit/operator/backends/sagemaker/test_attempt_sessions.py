"""Sessions of the attempt role: one for each piece of work, used again while they are young, and told to nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.backends.compute import DrawCall
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.attempt_sessions import (
    DRAWING_SECONDS,
    TRAINING_SECONDS,
    AttemptSessions,
)
from avatar_operator.backends.sagemaker.grants import drawing_grant, training_grants
from builders.aws_stub import Answer, AwsStub, Call, aws_stub
from builders.backend_objects import make_attempt, make_model, make_runtime, make_training_request
from builders.drawing_calls import CALL

ROLE = "arn:aws:iam::123456789012:role/avatars-attempt"
RUNTIME = make_runtime(attemptRoleARN=ROLE)
MODEL = make_model()
ATTEMPT = make_attempt(MODEL)
SENT = make_training_request(RUNTIME, MODEL, ATTEMPT)
NARROW, WIDE = training_grants(ATTEMPT, [photo.uri for photo in SENT.photos])
SECRET, TOKEN = "a-secret-that-nobody-may-read", "a-token-that-nobody-may-read"


def _session(number: int) -> Answer:
    key = f"ASIA{number:012}"
    return Answer(
        200,
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>"
        f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}</SessionToken>"
        "<Expiration>2026-11-26T12:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>".encode(),
    )


def _refusal(code: str, status: int) -> Answer:
    return Answer(
        status,
        f"<ErrorResponse><Error><Code>{code}</Code><Message>User: arn:aws:sts::1:x is not authorized</Message></Error>"
        "</ErrorResponse>".encode(),
    )


class Stage:
    """Sessions on an STS that the test makes up."""

    def __init__(self, clients: AwsClients, stub: AwsStub) -> None:
        self.now = 0.0
        self.stub = stub
        self.sessions = AttemptSessions(clients, monotonic=lambda: self.now)
        self.answer: Answer | None = None
        self.unpacked = 0
        """So many policies are too large once they are packed."""

    async def key(self, runtime: AvatarRuntime = RUNTIME, call: DrawCall = CALL) -> str:
        credentials = await self.sessions.of_drawing(runtime, call)
        assert credentials is not None
        return credentials.access_key_id


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operator")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "operator")

    def answer(_: Call) -> Answer:
        if len(stub.calls) <= stage.unpacked:
            return _refusal("PackedPolicyTooLarge", 400)
        return stage.answer or _session(len(stub.calls))

    with aws_stub(answer) as stub:
        clients = AwsClients(endpoint_url=stub.url)
        stage = Stage(clients, stub)
        yield stage
        clients.close()


async def test_a_runtime_without_an_attempt_role_gives_none(stage: Stage) -> None:
    assert await stage.sessions.of_drawing(make_runtime(), CALL) is None
    assert await stage.sessions.of_training(make_runtime(), ATTEMPT, SENT) is None
    assert stage.stub.calls == []


async def test_a_session_is_limited_to_its_work_and_named_for_it(stage: Stage) -> None:
    await stage.key()
    [call] = stage.stub.calls
    asked = {name: value for name, [value] in parse_qs(call.body.decode()).items()}
    assert asked["RoleArn"] == ROLE
    assert asked["RoleSessionName"] == f"draw-{CALL.request_uid}"
    assert asked["DurationSeconds"] == str(DRAWING_SECONDS)
    assert asked["Policy"] == drawing_grant(CALL.request_uid, CALL.output_prefix).policy("aws")


async def test_a_training_gets_a_new_session_each_time_for_as_long_as_one_may_live(stage: Stage) -> None:
    first, second = [await stage.sessions.of_training(RUNTIME, ATTEMPT, SENT) for _ in range(2)]
    assert first != second
    asked = {name: value for name, [value] in parse_qs(stage.stub.calls[0].body.decode()).items()}
    assert asked["RoleSessionName"] == ATTEMPT.inference_id
    assert asked["DurationSeconds"] == str(TRAINING_SECONDS)
    assert asked["Policy"] == NARROW.policy("aws")


async def test_a_session_serves_the_same_work_until_half_of_its_life_is_over(stage: Stage) -> None:
    first = await stage.key()
    stage.now = DRAWING_SECONDS / 2 - 1
    assert await stage.key() == first
    stage.now = DRAWING_SECONDS / 2
    assert await stage.key() != first


@pytest.mark.parametrize(
    "other",
    [
        (RUNTIME, replace(CALL, output_prefix="s3://pictures/bob/")),
        (make_runtime(attemptRoleARN=f"{ROLE}-2"), CALL),
        (make_runtime(attemptRoleARN=ROLE, region="eu-central-1"), CALL),
    ],
    ids=["directory", "role", "region"],
)
async def test_other_work_has_a_session_of_its_own(stage: Stage, other: tuple[Any, Any]) -> None:
    assert await stage.key() != await stage.key(*other)


async def test_what_is_outdated_is_forgotten(stage: Stage) -> None:
    for number in range(20):
        stage.now += DRAWING_SECONDS
        await stage.key(call=replace(CALL, output_prefix=f"s3://pictures/{number}/"))
    assert len(stage.sessions) == 1


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDenied", 403, "AttemptRoleRefused"),
        ("MalformedPolicyDocument", 400, "AttemptRoleRefused"),
        ("ExpiredToken", 403, "CredentialsExpired"),
        ("InvalidClientTokenId", 403, "CredentialsInvalid"),
        ("Throttling", 400, "Throttled"),
    ],
)
async def test_a_role_that_is_refused_is_waited_for_and_named_to_the_platform_team_alone(
    stage: Stage, code: str, status: int, reason: str
) -> None:
    stage.answer = _refusal(code, status)
    with pytest.raises(AwsFailure) as caught:
        await stage.key()
    assert (caught.value.reason, caught.value.retryable) == (reason, True)
    assert caught.value.said.mention(ROLE)
    assert "arn:" not in caught.value.message


async def test_what_sts_cannot_pack_is_granted_by_directories(stage: Stage) -> None:
    stage.unpacked = 1
    assert await stage.sessions.of_training(RUNTIME, ATTEMPT, SENT) is not None
    policies = [parse_qs(call.body.decode())["Policy"] for call in stage.stub.calls]
    assert policies == [[NARROW.policy("aws")], [WIDE.policy("aws")]]


async def test_work_of_which_sts_can_pack_nothing_is_refused_for_good_with_what_to_do(stage: Stage) -> None:
    stage.unpacked = 3
    for asked in (stage.sessions.of_training(RUNTIME, ATTEMPT, SENT), stage.key()):
        with pytest.raises(BackendError) as caught:
            await asked
        assert (caught.value.reason, caught.value.retryable) == ("SessionPolicyTooLong", False)
        assert "fewer where it cannot pack them" in caught.value.message


async def test_no_secret_shows_in_what_is_printed(stage: Stage) -> None:
    credentials = await stage.sessions.of_drawing(RUNTIME, CALL)
    assert credentials is not None
    assert credentials.secret_access_key == SECRET
    for shown in (repr(credentials), str(credentials), f"{credentials}"):
        assert SECRET not in shown
        assert TOKEN not in shown
