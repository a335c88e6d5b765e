"""How calls to whatever stores, trains and draws fail: one error, with a word for programs, a sentence for everybody, and
what was said of it for the platform team.
"""

from avatar_operator.core.confidential import NOTHING, Confidential
from avatar_operator.core.decision import Retry


class BackendError(Exception):
    """A call that failed.

    Attributes:
        reason: one CamelCase word for conditions and Events.
        message: what happened and how to mend it, for a tenant. Nothing of `said` stands in it.
        retryable: whether the same call may succeed later without anybody changing anything.
        retry_after: seconds to wait at least, if the backend said so.
        said: what the backend or a worker said: for the log, and for the conditions of AvatarRuntimes.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        said: Confidential = NOTHING,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.said = said

    @property
    def in_full(self) -> str:
        """All that is known of it, for the platform team."""
        return self.said.reveal() or self.message

    def as_retry(self) -> Retry:
        """The same as a reason to try again."""
        return Retry(self.reason, self.message, self.retry_after or 0.0)


class OutcomeUnknownError(BackendError):
    """The call may or may not have taken effect: the answer was lost."""

    def __init__(self, said: str) -> None:
        super().__init__(
            "OutcomeUnknown", "The answer to a call was lost.", retryable=True, said=Confidential(said)
        )
