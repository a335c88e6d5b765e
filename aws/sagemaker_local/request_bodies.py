"""A request's body, read no further than it may be long.

Content-Length alone does not tell: a client that sends its body in chunks gives none. So the limit is applied to what is read.
"""

from __future__ import annotations

import json
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request

from sagemaker_local.errors import AwsError


def read_body(request: Request, most: int, too_large: AwsError) -> bytes:
    """The whole body; the request keeps it, so that `request.get_data()` answers the same from now on.

    Arguments:
        most: how many bytes it may have.
        too_large: the refusal of a longer one.

    Raises:
        AwsError: `too_large`; SerializationException when the body ends early or its chunks are malformed.
    """
    # werkzeug ends a chunked body at its limit without a word: one byte more tells that there was more.
    request.max_content_length = most + 1
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise too_large from None
    except ClientDisconnected:
        raise AwsError("SerializationException", "the request's body is incomplete or malformed") from None
    if len(body) > most:
        raise too_large
    return body


def read_json(request: Request, most: int, too_large: AwsError) -> dict[str, Any]:
    """The JSON object that is the body; an empty body is an empty one.

    Arguments and errors are those of `read_body`.

    Raises:
        AwsError: SerializationException also for what is not a JSON object.
    """
    body = read_body(request, most, too_large)
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"the request is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "the request is not a JSON object")
    return parameters
