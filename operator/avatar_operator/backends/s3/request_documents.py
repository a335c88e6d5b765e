"""The document that says what an attempt was sent with. The operator writes it once, before the attempt is handed over.

Whatever becomes of the model afterwards, this is what its worker has been told. A worker without an attempt role may write it,
too, so what is taken from it is judged as if a tenant had said it.
"""

import structlog

from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingRequest
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import JSON, ObjectTooLarge, S3Objects
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM

MAX_REQUEST_BYTES = 1 << 20
log = structlog.get_logger(__name__)


async def write_request(objects: S3Objects, attempt: AttemptReference, request: TrainingRequest) -> str:
    """See Storage.write_request."""
    document = S3Location.parse(attempt.locations.request)
    body = request.model_dump_json(by_alias=True, exclude_none=True).encode()
    await objects.write(document, body, content_type=JSON)
    return document.uri


async def read_request(objects: S3Objects, attempt: AttemptReference) -> TrainingRequest:
    """See Storage.read_request.

    Raises:
        BackendError: RequestDocumentLost, if it is gone, or is not what the operator wrote.
    """
    request = await find_request(objects, attempt)
    if request is None or request.inference_id != attempt.inference_id:
        raise BackendError(
            "RequestDocumentLost",
            f"What attempt {attempt.attempt} was sent with cannot be told any more, so its worker gets no newer credentials:"
            f" its request document is gone, or somebody has written into it. {FOR_THE_PLATFORM_TEAM}",
            retryable=True,
        )
    return request


async def find_request(objects: S3Objects, attempt: AttemptReference) -> TrainingRequest | None:
    """The document as it lies there; None if it is gone, or made unreadable."""
    location = S3Location.parse(attempt.locations.request)
    try:
        content = await objects.read(location, max_bytes=MAX_REQUEST_BYTES)
        return None if content is None else parse_document(TrainingRequest, content)
    except (ObjectTooLarge, UnreadableDocument) as error:
        log.warning("a request document cannot be read", document=location.uri, error=str(error))
        return None
