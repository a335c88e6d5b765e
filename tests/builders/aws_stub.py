"""An AWS that a test makes up: one HTTP server that answers every call as the test says, and remembers who signed it."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Call:
    """One request. `access_key` is the id of the key that signed it."""

    method: str
    path: str
    access_key: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def s3_error(status: int, code: str) -> Answer:
    """How S3 refuses."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>said</Message></Error>".encode())


def json_error(status: int, code: str) -> Answer:
    """How SQS and SageMaker refuse."""
    return Answer(status, f'{{"__type":"{code}","message":"said"}}'.encode())


@dataclass
class AwsStub:
    """Where it listens and what it was asked."""

    url: str
    calls: list[Call] = field(default_factory=list)


@contextmanager
def aws_stub(answer: Callable[[Call], Answer]) -> Iterator[AwsStub]:
    """A server on a port of its own for as long as the block runs; `answer` is called in its threads."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            signed = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = Call(self.command, self.path, signed[1] if signed else "", body)
            stub.calls.append(call)
            reply = answer(call)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer  # noqa: N815  # http.server's names

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = AwsStub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
