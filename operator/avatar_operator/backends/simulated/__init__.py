"""The whole control flow without any worker or cloud account: try the API, load-test the operator.

What it does: trainings take `trainingSeconds`, a `failurePercent` of the attempts fails with a retryable error, pictures
"exist" once drawn. Every answer derives from the runtime, the attempt and the clock, so a restarted operator gets the
same ones.

What it does not do: it reads no photo, checks no location, runs no worker, stores nothing anywhere, spends nothing, and
sends no notifications. URIs in status point at objects that do not exist; checksums are derived from names, not from
content. It holds no claims: fencing always succeeds, because nothing runs that could be lost; a fenced or cancelled
attempt that is asked for all the same goes on by the clock. Pictures are remembered in memory only, and only for the
last requests, so a restart in the middle of a request draws them again; deleting removes nothing but that memory.
"""

from avatar_operator.backends.simulated.backend import SimulatedBackend

__all__ = ["SimulatedBackend"]
