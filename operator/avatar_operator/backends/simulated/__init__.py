"""The whole control flow without any worker or cloud account: try the API, load-test the operator.

What it does: trainings take `trainingSeconds`, a `failurePercent` of the attempts fails with a retryable error, pictures
"exist" once drawn. Outcomes derive from the runtime, the attempt and the clock, so a restarted operator gets the same
ones.

What it does not do: it reads no photo, checks no location, runs no worker, stores nothing anywhere, spends nothing, and
sends no notifications. URIs in status point at objects that do not exist; checksums are derived from names, not from
content. Claims, request documents and pictures are remembered in memory only, and only the last of them: a restart in
the middle of a request draws it again, and an attempt that was cancelled before the restart goes on by the clock.
"""

from avatar_operator.backends.selection import Backend
from avatar_operator.backends.simulated.compute import SimulatedCompute
from avatar_operator.backends.simulated.objects import PretendedObjects
from avatar_operator.backends.simulated.storage import SimulatedStorage
from avatar_operator.core.clock import Clock

__all__ = ["SimulatedCompute", "SimulatedStorage", "simulated_backend"]


def simulated_backend(clock: Clock) -> Backend:
    """Storage and compute that pretend the same objects.

    Args:
        clock: decides when a training is over.
    """
    objects = PretendedObjects(clock)
    return Backend(SimulatedStorage(objects), SimulatedCompute(objects, clock))
