"""The condition of an AvatarRuntime that models and requests wait for."""

ENDPOINTS_READY = "EndpointsReady"
"""Every endpoint serves with the wanted configuration, so work can be sent."""
