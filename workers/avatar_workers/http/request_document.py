"""Read a typed JSON document from a request: bounded, validated, and with the field named that is wrong."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from avatar_workers.errors import WorkerFailure

Document = TypeVar("Document", bound=BaseModel)
MAX_REPORTED_FIELDS = 5


async def read_document(request: Request, document: type[Document], *, max_bytes: int) -> Document:
    """Read and validate the body.

    Args:
        request: the HTTP request.
        document: the pydantic type that the body must be.
        max_bytes: refuse longer bodies, announced or not.

    Raises:
        WorkerFailure: InvalidRequest, naming up to five fields and what is wrong with each.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise WorkerFailure("InvalidRequest", f"the body is larger than {max_bytes} bytes")
    return parse_document(bytes(body), document)


def parse_document(body: bytes, document: type[Document]) -> Document:
    """Validate a JSON document.

    Raises:
        WorkerFailure: InvalidRequest, as for `read_document`.
    """
    try:
        return document.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        problems = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
            for fault in faults[:MAX_REPORTED_FIELDS]
        ]
        if len(faults) > MAX_REPORTED_FIELDS:
            problems.append(f"and {len(faults) - MAX_REPORTED_FIELDS} more")
        raise WorkerFailure("InvalidRequest", f"{document.__name__}: {'; '.join(problems)}") from error
