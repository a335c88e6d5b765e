"""HTTP to one container, with a deadline that holds.

Every call opens its own connection: on the loopback that costs a tenth of a millisecond, and it rules out the race in which
a kept-alive connection is closed by the container just as a request is written, which would look like a crashed instance.

The time-out is for the whole call, as SageMaker's is; a container that trickles bytes does not extend it.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


class ContainerTimeout(Exception):
    """The container did not finish its answer in time."""


class ContainerUnreachable(Exception):
    """The container refused the connection, or broke it before its answer was complete."""


class ContainerRefused(ContainerUnreachable):
    """The container refused the connection: the request never reached it and can safely be made again."""


class ContainerAnswerTooLarge(Exception):
    """The container's answer exceeds the limit."""


@dataclass(frozen=True)
class ContainerAnswer:
    """What the container said. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")


def call_container(
    port: int,
    method: str,
    path: str,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limit: int = 1 << 20,
    received: Callable[[], None] = lambda: None,
) -> ContainerAnswer:
    """One request to the container on a local port.

    Arguments:
        timeout: real seconds for the whole call.
        limit: the most bytes that the answer's body may have.
        received: called when the container has the whole request; a ContainerUnreachable that it raises ends the call.

    Raises:
        ContainerTimeout, ContainerRefused, ContainerUnreachable, ContainerAnswerTooLarge.
    """
    deadline = time.monotonic() + timeout
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=max(timeout, 0.001))
    try:
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            raise ContainerRefused(str(error)) from error
        own_socket = connection.sock
        own_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request(method, path, body=body, headers={**(headers or {}), "Connection": "close"})
        received()
        _set_remaining(own_socket, deadline)
        response = connection.getresponse()
        chunks: list[bytes] = []
        size = 0
        while True:
            _set_remaining(own_socket, deadline)
            chunk = response.read1(1 << 16)
            if not chunk:
                break
            size += len(chunk)
            if size > limit:
                raise ContainerAnswerTooLarge(f"the container's answer exceeds {limit} bytes")
            chunks.append(chunk)
        if response.length:
            raise ContainerUnreachable("the container closed the connection in the middle of its answer")
        return ContainerAnswer(
            response.status, {name.lower(): value for name, value in response.getheaders()}, b"".join(chunks)
        )
    except TimeoutError as error:
        raise ContainerTimeout(f"no complete answer within {timeout:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise ContainerUnreachable(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def _set_remaining(own_socket: socket.socket, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    own_socket.settimeout(remaining)
