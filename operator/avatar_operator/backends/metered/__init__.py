"""A backend that counts: the same two ports around any others, for Prometheus, and for the log where one fails."""

import inspect

from avatar_operator.backends.compute import Compute
from avatar_operator.backends.metered.compute import MeteredCompute
from avatar_operator.backends.metered.series import BackendMetrics, TokensAvailable, VerbCounter
from avatar_operator.backends.metered.storage import MeteredStorage
from avatar_operator.backends.selection import Backend
from avatar_operator.backends.storage import Storage

__all__ = ["BackendMetrics", "TokensAvailable", "metered"]

VERBS = tuple(
    name
    for port in (Storage, Compute)
    for name, verb in vars(port).items()
    if inspect.iscoroutinefunction(verb)
)
"""Of both ports, but for the pure ones, which are not counted."""


def metered(backend: Backend, name: str, metrics: BackendMetrics) -> Backend:
    """A backend, counted under a name."""
    counter = VerbCounter(name, metrics, VERBS)
    return Backend(MeteredStorage(backend.storage, counter), MeteredCompute(backend.compute, counter))
