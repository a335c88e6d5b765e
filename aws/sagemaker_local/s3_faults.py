"""S3 that is slow, misses objects, or fails: on demand, for the platform's own calls and for everybody else's.

Both come in through the same door, so faults are played there, before moto sees the request.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local.faults import FaultBoard, S3Fault
from sagemaker_local.s3_requests import read_s3_request, s3_error

_ERRORS = {
    404: ("NoSuchKey", "The specified key does not exist."),
    500: ("InternalError", "We encountered an internal error. Please try again."),
    503: ("SlowDown", "Please reduce your request rate."),
}


class S3Faults:
    """Plays the faults that are ordered for S3."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board

    def answer(self, environ: Mapping[str, Any]) -> Response | None:
        """The answer that a fault gives to a request, or None when the request is to be carried out (after a wait, perhaps)."""
        if not self._board.has(S3Fault):
            return None
        request = read_s3_request(environ)
        if request is None:
            return None
        fault = self._board.take_s3(request.operation, request.bucket, request.key, request.caller)
        if fault is None:
            return None
        time.sleep(fault.seconds)
        if fault.action == "slow":
            return None
        status = 404 if fault.action == "missing" else fault.status
        return s3_error(status, *_ERRORS[status], request)
