"""AWS errors on the wire.

Every refusal of ours has to look to botocore exactly like one of AWS's, or clients take the wrong branch: the error code
travels in the `x-amzn-ErrorType` header (REST-JSON services such as SageMaker Runtime) and in `__type` (JSON 1.1 services
such as SageMaker). Both are always sent, so one function serves both protocols.

Source: botocore.parsers.BaseJSONParser and RestJSONParser, which read exactly these two places.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response


class AwsError(Exception):
    """A refusal that the caller sees as a botocore ClientError.

    Arguments:
        code: AWS's error code, for example `ValidationException`.
        message: what is wrong, in AWS's own words where they are known.
        status: the HTTP status.
        fields: further members of the modelled exception, for example `OriginalStatusCode`.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})


def validation_exception(message: str) -> AwsError:
    """The control plane's refusal (SageMaker, JSON 1.1)."""
    return AwsError("ValidationException", message)


def validation_error(message: str) -> AwsError:
    """The data planes' refusal (SageMaker Runtime, REST-JSON). Same meaning, other name."""
    return AwsError("ValidationError", message)


def not_implemented(operation: str) -> AwsError:
    """An action that nobody here implements.

    The status is 501: botocore retries 500, 502, 503 and 504, so anything else there would only cost time.
    """
    return AwsError(
        "NotImplemented",
        f"sagemaker-local does not implement {operation}; docs/sagemaker-local.md lists what it does",
        501,
    )


def error_response(error: AwsError) -> Response:
    """The HTTP response for an error, readable by botocore's JSON 1.1 and REST-JSON parsers alike."""
    body = {"__type": error.code, "message": error.message, "Message": error.message, **error.fields}
    return json_response(body, error.status, {"x-amzn-ErrorType": error.code})


def json_response(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer with the request id that AWS always sends.

    Times must already be numbers (epoch seconds): JSON 1.1 knows no other form.
    """
    response = Response(json.dumps(body), status=status, content_type="application/x-amz-json-1.1")
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response
