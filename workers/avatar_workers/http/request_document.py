"""Read a typed JSON document from a request: bounded, validated, and with the field named that is wrong."""

from starlette.requests import Request

from avatar_api.documents.parsing import Document, UnreadableDocument, parse_document
from avatar_workers.errors import WorkerFailure


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
    try:
        return parse_document(document, bytes(body))
    except UnreadableDocument as error:
        raise WorkerFailure("InvalidRequest", str(error)) from error
