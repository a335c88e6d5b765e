"""The condition of an AvatarRuntime that models wait for."""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.conditions import find_condition

ENDPOINTS_READY = "EndpointsReady"
"""Every endpoint serves with the wanted configuration, so work can be sent."""


def endpoints_ready(runtime: AvatarRuntime) -> bool:
    """Whether the endpoints serve what the spec says now.

    A condition of an earlier generation says nothing: after a change of the base model the old endpoints still serve,
    and would refuse, a training that is planned from the new spec. A runtime that is being deleted begins nothing.
    """
    condition = find_condition(runtime.status.conditions, ENDPOINTS_READY)
    return (
        runtime.metadata.deletion_timestamp is None
        and condition is not None
        and condition.status == "True"
        and condition.observed_generation >= runtime.metadata.generation
    )
