"""The HTTP front: a thread per connection, and connections that stay open.

werkzeug's own server (which moto uses) closes every connection after one answer. AWS does not, and a client that makes thousands
of calls notices: each would cost a handshake on its side and a thread on ours. This handler keeps connections open, which needs
three things that werkzeug leaves out: the request's body is bounded by its Content-Length, what the application left unread of
it is drained before the next request, and every answer has a length.

A thread per connection suits AWS's API: SQS long polls and InvokeEndpoint hold a connection for up to a minute, and a pool of
threads would be exhausted by a few dozen of them.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any, BinaryIO

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer, DechunkedInput, make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import LimitedStream

from sagemaker_local.moto_bridge import MotoRequestHandler

logger = logging.getLogger(__name__)

IDLE_SECONDS = 300
MAX_DRAINED_BYTES = 64 << 20


class PortInUse(Exception):
    """The address cannot be listened on."""


def listening_server(bind_host: str, port: int, application: Callable[..., Any]) -> BaseWSGIServer:
    """A server that listens already and answers once `serve_forever` runs.

    Arguments:
        port: 0 for any free one; the server's `port` tells which.

    Raises:
        PortInUse: naming the address and the reason.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((bind_host, port))
        except OSError as error:
            raise PortInUse(f"cannot listen on {bind_host}:{port}: {error.strerror or error}") from error
        listener.listen(256)
        return make_server(
            bind_host,
            listener.getsockname()[1],
            application,
            threaded=True,
            request_handler=KeepAliveHandler,
            fd=listener.fileno(),
        )


class KeepAliveHandler(MotoRequestHandler):
    """moto's request handler on connections that stay open."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Nagle's algorithm would hold the end of an answer back until the client acknowledges its start: 40 ms each time.
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer one request, and leave the connection ready for the next."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        body = self._bounded_body(environ)
        environ["wsgi.input"] = body
        environ["wsgi.input_terminated"] = True
        try:
            chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
            answer = b"".join(chunks)
        except Exception:
            logger.exception("error on request %s %s", self.command, self.path)
            chunks, status, headers = run_wsgi_app(InternalServerError(), environ, buffered=True)
            answer = b"".join(chunks)
        self._drain(body)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        has_body = self.command != "HEAD" and int(code) not in (
            HTTPStatus.NO_CONTENT,
            HTTPStatus.NOT_MODIFIED,
        )
        for name, value in headers:
            if has_body and name.lower() == "content-length":
                continue
            self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(answer)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body:
            self.wfile.write(answer)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        logger.debug("%s %s", self.requestline, code)

    def log_error(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class's name
        logger.debug(format, *arguments)

    def _bounded_body(self, environ: dict[str, Any]) -> BinaryIO | LimitedStream | DechunkedInput:
        given = environ["wsgi.input"]
        if isinstance(given, DechunkedInput):
            return given
        length = int(environ.get("CONTENT_LENGTH") or 0)
        return LimitedStream(given, length) if length else BytesIO()

    def _drain(self, body: BinaryIO | LimitedStream | DechunkedInput) -> None:
        drained = 0
        try:
            while chunk := body.read(1 << 16):
                drained += len(chunk)
                if drained > MAX_DRAINED_BYTES:
                    self.close_connection = True
                    return
        except (OSError, ValueError):
            self.close_connection = True
        except Exception:
            logger.debug("the rest of a request could not be read", exc_info=True)
            self.close_connection = True
