"""A boto3 client that is made anew when its credentials turn out to be no good.

boto3 reads environment, files and profiles once, when a client is made, and signs with that for ever (only credentials
that carry their own expiry are renewed by it). A platform that rotates a mounted secret would have to restart the
operator. So a call that AWS refuses for its credentials makes the next call start with a new session, which looks
everywhere again. This is bounded in rate: a session costs about 0.1 s, and credentials that stay wrong must not cost it
at every call.

boto3's sessions are not thread-safe, its clients are.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from botocore.exceptions import CredentialRetrievalError

from avatar_operator.aws.errors import AWS_CALL_ERRORS, is_about_credentials

Client = TypeVar("Client", bound=Any)
T = TypeVar("T")

RENEW_SECONDS = 5.0
_STILL_EXPIRED = "refreshed credentials are still expired"
"""In the RuntimeError that botocore raises after a refresh in vain."""


class RenewableClient(Generic[Client]):
    """A client, made when first used.

    Args:
        make: makes a client with a new session.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(
        self, make: Callable[[], Client], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._made = 0.0

    def call(self, call: Callable[[Client], T]) -> T:
        """Run a call in this thread. Raises what botocore raises."""
        client = self._current()
        try:
            return call(client)
        except AWS_CALL_ERRORS as error:
            if is_about_credentials(error):
                self._outdated(client)
            raise
        except RuntimeError as error:
            if _STILL_EXPIRED not in str(error):
                raise
            self._outdated(client)
            raise CredentialRetrievalError(provider="refresh", error_msg=str(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _current(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make()
                self._made = self._monotonic()
            return self._client

    def _outdated(self, client: Client) -> None:
        # Other threads may be in calls of the old client, so it is not closed.
        with self._lock:
            if self._client is client and self._monotonic() - self._made >= RENEW_SECONDS:
                self._client = None
