"""The conditions of an AvatarRuntime, beside those in `runtime_readiness` that models wait for."""

READY = "Ready"
"""Models can be trained and drawn with."""
