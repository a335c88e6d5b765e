"""Every failure leaves the container as a WorkerError document with the status of its code."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from avatar_api.documents.errors import WorkerError
from avatar_workers.errors import WorkerFailure

log = structlog.stdlib.get_logger(__name__)


def error_response(document: WorkerError, status: int) -> JSONResponse:
    """A WorkerError as an HTTP answer."""
    return JSONResponse(document.to_wire(), status_code=status)


def _on_worker_failure(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, WorkerFailure)
    log.warning("refused", code=failure.code, message=str(failure))
    return error_response(failure.document, failure.http_status)


def _on_http_exception(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    document = WorkerFailure("InvalidRequest", failure.detail).document
    return error_response(document, failure.status_code)


def _on_defect(_: Request, failure: Exception) -> Response:
    # The exception's text may hold anything, a user's words included: it goes to the log, its type to the caller.
    log.error("internal error", exc_info=failure)
    document = WorkerFailure("InternalError", f"the worker failed unexpectedly ({type(failure).__name__})")
    return error_response(document.document, document.http_status)


EXCEPTION_HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    WorkerFailure: _on_worker_failure,
    HTTPException: _on_http_exception,
    Exception: _on_defect,
}
"""For `Starlette(exception_handlers=...)`."""
