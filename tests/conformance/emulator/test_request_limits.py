"""Requests that are too long are refused, also when they come in chunks and do not tell how long they are."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagemaker_local.testing import LocalAws

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=00"
)
MIB = 1 << 20


def sent_in_chunks(
    emulator: LocalAws, method: str, path: str, headers: dict[str, str], length: int
) -> tuple[int, bytes]:
    """Send so many bytes in chunks. Returns the answer's status and body."""
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint_url).netloc, timeout=60)

    def chunks() -> Iterator[bytes]:
        for start in range(0, length, MIB):
            yield b"x" * min(MIB, length - start)

    try:
        connection.request(method, path, body=chunks(), headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_an_invocation_in_chunks_reaches_the_container_up_to_six_megabytes(
    emulator: LocalAws, user: Any
) -> None:
    path = f"/endpoints/{user.realtime_endpoint()}/invocations"
    headers = {"Authorization": SIGNED.format("sagemaker")}
    assert sent_in_chunks(emulator, "POST", path, headers, 10) == (200, b"x" * 10)
    status, body = sent_in_chunks(emulator, "POST", path, headers, 6 * MIB)
    assert (status, len(body)) == (200, 6 * MIB)
    status, body = sent_in_chunks(emulator, "POST", path, headers, 6 * MIB + 1)
    assert (status, b"The request body exceeds 6291456 bytes" in body) == (413, True)


@pytest.mark.parametrize(
    ("method", "path", "target", "length", "status"),
    [
        ("POST", "/", "SageMaker.ListModels", 4 * MIB + 1, 400),
        ("POST", "/", "RekognitionService.DetectFaces", 16 * MIB + 1, 413),
        ("PUT", "/_sagemaker_local/clock", "", 65_537, 400),
    ],
)
def test_any_request_in_chunks_is_refused_when_it_is_too_long(
    emulator: LocalAws, method: str, path: str, target: str, length: int, status: int
) -> None:
    headers = {"X-Amz-Target": target, "Authorization": SIGNED.format(target.partition(".")[0].lower())}
    answered, body = sent_in_chunks(emulator, method, path, headers, length)
    assert (answered, b"exceeds" in body) == (status, True)


def test_a_body_that_ends_early_is_refused(emulator: LocalAws) -> None:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint_url).netloc, timeout=60)
    connection.putrequest("POST", "/")
    connection.putheader("X-Amz-Target", "SageMaker.ListModels")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders(b"5\r\nhello\r\n")
    connection.sock.shutdown(socket.SHUT_WR)
    answer = connection.getresponse()
    assert (answer.status, b"incomplete or malformed" in answer.read()) == (400, True)
    connection.close()
