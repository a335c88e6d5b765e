"""Pools that do not hold each other up, and credentials that are taken up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.renewable_client import RENEW_SECONDS, RenewableClient
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from builders.aws_stub import Answer, Call, aws_stub, s3_error

REGION = "us-east-1"
PATIENCE_SECONDS = 30.0


@contextmanager
def clients_of(url: str, **arguments: Any) -> Iterator[AwsClients]:
    clients = AwsClients(endpoint_url=url, **arguments)
    try:
        yield clients
    finally:
        clients.close()


async def reason_of(clients: AwsClients, bucket: str) -> str:
    """Read an object: the reason of the failure, or its content."""
    try:
        content = await S3Objects(clients, REGION).read(S3Location(bucket, "k"), max_bytes=100)
    except AwsFailure as failure:
        return failure.reason
    return (content or b"").decode()


async def test_one_throttled_bucket_does_not_stall_the_others() -> None:
    def answer(call: Call) -> Answer:
        return s3_error(503, "SlowDown") if call.path.startswith("/hot/") else Answer(200, b"cold")

    with aws_stub(answer) as stub, clients_of(stub.url) as clients:
        hot = await asyncio.gather(*(reason_of(clients, "hot") for _ in range(8)))
        async with asyncio.timeout(5):
            cold = await asyncio.gather(*(reason_of(clients, "cold") for _ in range(20)))
    assert set(hot) == {"Throttled"}
    assert set(cold) == {"cold"}


def connections(client: Any) -> int:
    return int(client.meta.config.max_pool_connections)


async def test_each_pool_has_as_many_connections_as_threads() -> None:
    with clients_of("http://127.0.0.1:9", threads=3, drawing_threads=5) as clients:
        short = await clients.s3(REGION, connections)
        submitting = await clients.submission(REGION, connections)
        drawing = await clients.invocation(REGION, connections)
    assert (short, submitting, drawing) == (3, 3, 5)


async def test_drawing_does_not_hold_up_anything_else() -> None:
    drawing, drawn = threading.Barrier(3), threading.Event()

    def answer(call: Call) -> Answer:
        if "/invocations" in call.path and not drawn.is_set():
            drawing.wait(PATIENCE_SECONDS)
            drawn.wait(PATIENCE_SECONDS)
        return Answer(200, b"x")

    with aws_stub(answer) as stub, clients_of(stub.url, threads=2, drawing_threads=2) as clients:
        drawings = [asyncio.create_task(draw(clients)) for _ in range(10)]
        # Every thread of the pool draws by now.
        await asyncio.to_thread(drawing.wait, PATIENCE_SECONDS)
        async with asyncio.timeout(PATIENCE_SECONDS / 2):
            assert await reason_of(clients, "photos") == "x"
            drawn.set()
            assert await asyncio.gather(*drawings) == [b"x"] * 10


async def draw(clients: AwsClients) -> bytes:
    return await clients.invocation(
        REGION, lambda runtime: runtime.invoke_endpoint(EndpointName="e", Body=b"{}")["Body"].read()
    )


def write_credentials(path: Path, access_key: str) -> None:
    path.write_text(f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = secret\n")


async def test_credentials_that_changed_in_their_file_are_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    credentials = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setattr("avatar_operator.aws.renewable_client.RENEW_SECONDS", 0.0)
    valid = "FIRST"

    def answer(call: Call) -> Answer:
        return Answer(200, b"x") if call.access_key == valid else s3_error(403, "InvalidAccessKeyId")

    write_credentials(credentials, "FIRST")
    with aws_stub(answer) as stub, clients_of(stub.url) as clients:
        assert await reason_of(clients, "photos") == "x"
        valid = "SECOND"
        assert await reason_of(clients, "photos") == "CredentialsInvalid"
        credentials.unlink()
        assert await reason_of(clients, "photos") == "CredentialsMissing"
        write_credentials(credentials, "SECOND")
        assert await reason_of(clients, "photos") == "x"


class Clients:
    """Makes clients, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Any:
        self.made += 1
        return self.made


def refused(client: Any) -> None:
    raise ClientError({"Error": {"Code": "ExpiredToken", "Message": ""}}, "GetObject")


def test_credentials_that_stay_wrong_do_not_cost_a_session_each_time() -> None:
    now = 0.0
    make = Clients()
    client = RenewableClient[Any](make, monotonic=lambda: now)
    for _ in range(100):
        now += RENEW_SECONDS / 10
        with pytest.raises(ClientError):
            client.call(refused)
    assert 5 <= make.made <= 10


def test_what_is_not_about_credentials_keeps_the_client() -> None:
    make = Clients()
    now = 0.0
    client = RenewableClient[Any](make, monotonic=lambda: now)

    def denied(client: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    for _ in range(3):
        now += RENEW_SECONDS
        with pytest.raises(ClientError):
            client.call(denied)
    assert make.made == 1


def test_a_refresh_in_vain_is_trouble_with_credentials() -> None:
    def still_expired(client: Any) -> None:
        raise RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")

    now = 0.0
    make = Clients()
    client = RenewableClient[Any](make, monotonic=lambda: now)
    with pytest.raises(CredentialRetrievalError):
        client.call(still_expired)
    now += RENEW_SECONDS
    with pytest.raises(CredentialRetrievalError):
        client.call(still_expired)
    assert client.call(lambda made: made) == 2


def test_other_errors_pass_through() -> None:
    def broken(client: Any) -> None:
        raise RuntimeError("a defect of ours")

    with pytest.raises(RuntimeError, match="a defect of ours"):
        RenewableClient[Any](Clients()).call(broken)


class NotAllowedError(Exception):
    """What a guard raises."""


async def test_nothing_is_sent_that_the_guard_forbids() -> None:
    def guard() -> None:
        raise NotAllowedError

    with (
        aws_stub(lambda _: Answer(200, b"content")) as stub,
        clients_of(stub.url, before_send=guard) as clients,
        pytest.raises(NotAllowedError),
    ):
        await clients.s3(REGION, lambda s3: s3.put_object(Bucket="b", Key="k", Body=b"x"))

    assert stub.calls == []


async def test_a_repetition_is_guarded_like_the_first_request() -> None:
    asked = []

    def guard() -> None:
        asked.append(len(stub.calls))
        if len(asked) > 1:
            raise NotAllowedError

    with (
        aws_stub(lambda _: s3_error(503, "SlowDown")) as stub,
        clients_of(stub.url, before_send=guard) as clients,
        pytest.raises(NotAllowedError),
    ):
        await clients.s3(REGION, lambda s3: s3.put_object(Bucket="b", Key="k", Body=b"x"))

    assert asked == [0, 1]
    assert len(stub.calls) == 1
