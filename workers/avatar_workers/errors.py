"""The one way a worker says no.

Whatever goes wrong inside a worker ends as a `WorkerError` document (avatar_api.documents.errors) with a code that the
operator decides on. Code that knows what is wrong, and how to mend it, raises `WorkerFailure`; the HTTP shell turns it
into the document and its status. Everything else is a defect or the environment's fault, and becomes InternalError.
"""

from collections.abc import Sequence

from avatar_api.documents.errors import HTTP_STATUS, RETRYABLE, WorkerError, WorkerErrorCode
from avatar_api.documents.photos import PhotoVerdict

MAX_MESSAGE_LENGTH = 2048


class WorkerFailure(Exception):
    """A refusal or failure that carries its WorkerError document.

    Args:
        code: what kind of failure; decides the HTTP status, and whether a retry can help.
        message: what is wrong, where, and how to mend it, for the user. Cut to 2,048 characters.
        photos: the verdict on every photo, where photos are the matter.
        retryable: overrides what the code says, for a failure of a usually final kind that may pass.
    """

    def __init__(
        self,
        code: WorkerErrorCode,
        message: str,
        *,
        photos: Sequence[PhotoVerdict] | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.document = WorkerError(
            code=code,
            message=message
            if len(message) <= MAX_MESSAGE_LENGTH
            else message[: MAX_MESSAGE_LENGTH - 1] + "…",
            retryable=code in RETRYABLE if retryable is None else retryable,
            photos=None if photos is None else list(photos),
        )

    @property
    def code(self) -> WorkerErrorCode:
        """The failure's code."""
        return self.document.code

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with the code."""
        return HTTP_STATUS[self.document.code]
