"""What moto cannot answer becomes an AWS error, at once and in the caller's protocol.

moto raises NotImplementedError for actions that it lacks, fails with other exceptions on input that it did not expect, and has
no route for whole APIs. On its server these end as HTML pages with status 500 or 404: the former is retried by botocore for
seconds, the latter reads like a missing resource. Here all of them are `NotImplemented` or `InternalFailure` with status 501,
which botocore does not retry, because asking again gives the same. What moto does answer, refusals included, passes untouched.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from sagemaker_local.errors import AwsError
from sagemaker_local.protocol_errors import called_service, error_in_protocol

logger = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answered(moto: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """moto's answer, or an AWS error in its place when it has none."""
    started: list[tuple[Any, ...]] = []
    try:
        body = moto(environ, lambda *arguments: started.append(arguments))
    except NotImplementedError as error:
        return _refusal(environ, "NotImplemented", str(error))(environ, start_response)
    except Exception as error:
        logger.warning("moto failed on %s %s", environ["REQUEST_METHOD"], _called(environ), exc_info=True)
        reason = f"moto failed with {type(error).__name__}: {error}"
        return _refusal(environ, "InternalFailure", reason)(environ, start_response)
    status, headers = started[-1][:2]
    if "HTTP_AUTHORIZATION" in environ and _may_be_a_page(status, headers):
        with contextlib.closing(ClosingIterator(body)) as chunks:
            page = b"".join(chunks)
        if page.lstrip().lower().startswith(b"<!doctype html"):
            return _refusal(environ, "NotImplemented", "moto has no such API")(environ, start_response)
        body = [page]
    start_response(*started[-1])
    return body


def _may_be_a_page(status: str, headers: Sequence[tuple[str, str]]) -> bool:
    """Whether an answer may be one of werkzeug's HTML pages. moto also calls some of its XML text/html."""
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    return status[:1] in "45" and content_type.startswith("text/html")


def _refusal(environ: dict[str, Any], code: str, reason: str) -> Response:
    message = f"sagemaker-local cannot answer {_called(environ)}: {reason or 'not implemented'}"
    return error_in_protocol(environ, AwsError(code, message, 501))


def _called(environ: dict[str, Any]) -> str:
    """How a message names the call."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    return (
        target
        or f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')} of {called_service(environ) or 'AWS'}"
    )
