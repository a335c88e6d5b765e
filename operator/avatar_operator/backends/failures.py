"""How calls to whatever stores, trains and draws fail: one error, with a word for programs and a sentence for people."""

from avatar_operator.core.decision import Retry


class BackendError(Exception):
    """A call that failed.

    Attributes:
        reason: one CamelCase word for conditions and Events.
        message: what happened and how to mend it, for a person.
        retryable: whether the same call may succeed later without anybody changing anything.
        retry_after: seconds to wait at least, if the backend said so.
    """

    def __init__(
        self, reason: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after

    def as_retry(self) -> Retry:
        """The same as a reason to try again."""
        return Retry(self.reason, self.message, self.retry_after or 0.0)


class OutcomeUnknownError(BackendError):
    """The call may or may not have taken effect: the answer was lost."""

    def __init__(self, message: str) -> None:
        super().__init__("OutcomeUnknown", message, retryable=True)
