"""On whose behalf the code at hand runs: the namespace of the object that a pass or a letter is about.

It rides in the context instead of in arguments. Those who take turns by it (the threads that AWS is called in) lie far below
those who know it, and every port in between would hand on a name that it has no use for itself. Whatever is done for
nobody in particular (runtimes, orphans) is the platform's, which is a party like any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PLATFORM = ""
_TENANT: ContextVar[str] = ContextVar("the namespace on whose behalf this runs", default=PLATFORM)


def current_tenant() -> str:
    """The namespace on whose behalf the code at hand runs; PLATFORM if it is none."""
    return _TENANT.get()


@contextmanager
def on_behalf_of(namespace: str) -> Iterator[None]:
    """What runs within, tasks that are made there included, runs on behalf of a namespace."""
    token = _TENANT.set(namespace)
    try:
        yield
    finally:
        _TENANT.reset(token)
