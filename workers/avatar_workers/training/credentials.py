"""Work with the credentials of one attempt: those that the operator keeps beside its request, and no others.

They are good for the attempt's own keys. The container's own role only reads them, and reads them again before they end. Where a
request promises credentials, nothing is done without them: to go on with the own role would be to do more than one may.
"""

from avatar_api.documents.credentials import AttemptCredentials, SessionCredentials
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectNotFound, ObjectStorage, ObjectTooLarge

MAX_DOCUMENT_BYTES = 64 << 10


def storage_of_attempt(request: TrainingRequest, own: ObjectStorage) -> ObjectStorage:
    """What an attempt works with.

    Args:
        request: the attempt.
        own: storage in the name of the container's own role.

    Returns:
        Storage in the name of the attempt's credentials, or `own` if the request promises none.

    Raises:
        WorkerFailure: AttemptFenced, if they were withdrawn; InvalidRequest, if they cannot be read; the storage's own.
    """
    uri = request.credentials_uri
    if uri is None:
        return own

    def read() -> SessionCredentials:
        try:
            document = parse_document(AttemptCredentials, own.read(uri, max_bytes=MAX_DOCUMENT_BYTES))
        except ObjectNotFound as error:
            raise WorkerFailure(
                "AttemptFenced",
                f"the credentials of attempt {request.attempt} ({request.inference_id}) were withdrawn by the operator",
            ) from error
        except (ObjectTooLarge, UnreadableDocument) as error:
            raise WorkerFailure("InvalidRequest", f"credentialsUri: {error}") from error
        if document.inference_id != request.inference_id:
            raise WorkerFailure("InvalidRequest", "credentialsUri: these are another attempt's")
        return document.credentials

    return own.acting_with(read)
