"""From AWS's failures to the ports': the reason, the words and the patience stay the same."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from avatar_operator.aws.errors import AwsFailure
from avatar_operator.backends.failures import BackendError

P = ParamSpec("P")
T = TypeVar("T")


def backend_error(failure: AwsFailure) -> BackendError:
    """The same failure as the ports know it."""
    return BackendError(
        failure.reason,
        failure.message,
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        said=failure.said,
    )


def raises_backend_error(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A verb of a port that fails with BackendError where it failed with AwsFailure."""

    @wraps(verb)
    async def translated(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await verb(*arguments, **named)
        except AwsFailure as failure:
            raise backend_error(failure) from failure

    return translated
