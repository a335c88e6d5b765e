"""HTTP to a container whose manners vary."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from sagemaker_local.instances.container_http import (
    ContainerAnswerTooLarge,
    ContainerTimeout,
    ContainerUnreachable,
    call_container,
)

Serve = Callable[[bytes, bool], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a container that answers every connection with fixed bytes; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def start(answer: bytes, hang: bool) -> int:
        def run() -> None:
            connection, _ = listener.accept()
            # Reads to the end: closing a connection with something unread resets it, and the answer may be lost with it.
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(answer)
                if hang:
                    done.wait(60)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    with closing(listener):
        yield start
        done.set()


def test_an_answer_is_read(serve: Serve) -> None:
    port = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nhi", False)
    answer = call_container(port, "POST", "/invocations", timeout=60, body=b"x")
    assert (answer.status, answer.body, answer.content_type) == (200, b"hi", "text/x")


def test_a_container_that_says_nothing_times_out(serve: Serve) -> None:
    with pytest.raises(ContainerTimeout):
        call_container(serve(b"", True), "GET", "/ping", timeout=0.2)


def test_a_container_that_stops_in_the_middle_times_out(serve: Serve) -> None:
    with pytest.raises(ContainerTimeout):
        call_container(
            serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", True), "GET", "/ping", timeout=0.2
        )


def test_a_connection_that_breaks_in_the_middle_is_no_answer(serve: Serve) -> None:
    with pytest.raises(ContainerUnreachable, match="middle of its answer"):
        call_container(
            serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", False), "GET", "/ping", timeout=60
        )


def test_an_answer_above_the_limit_is_refused(serve: Serve) -> None:
    port = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", False)
    with pytest.raises(ContainerAnswerTooLarge):
        call_container(port, "GET", "/ping", timeout=60, limit=4)


def test_what_is_not_http_is_no_answer(serve: Serve) -> None:
    with pytest.raises(ContainerUnreachable):
        call_container(serve(b"220 smtp ready\r\n", False), "GET", "/ping", timeout=60)


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with socket.socket() as bound, pytest.raises(ContainerUnreachable):
        bound.bind(("127.0.0.1", 0))
        call_container(bound.getsockname()[1], "GET", "/ping", timeout=60)
