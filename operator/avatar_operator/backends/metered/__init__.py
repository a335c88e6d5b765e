"""A backend that counts: the same two ports around any others, for Prometheus."""

from avatar_operator.backends.metered.compute import MeteredCompute
from avatar_operator.backends.metered.series import BackendMetrics, TokensAvailable, VerbCounter
from avatar_operator.backends.metered.storage import MeteredStorage
from avatar_operator.backends.selection import Backend

__all__ = ["BackendMetrics", "TokensAvailable", "metered"]


def metered(backend: Backend, name: str, metrics: BackendMetrics) -> Backend:
    """A backend, counted under a name."""
    counter = VerbCounter(name, metrics)
    return Backend(MeteredStorage(backend.storage, counter), MeteredCompute(backend.compute, counter))
