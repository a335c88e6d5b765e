"""The conditions of an AvatarRuntime, beside those in `runtime_readiness` that models wait for."""

ACCEPTED = "Accepted"
"""The spec makes sense, and this version of the operator can serve it."""
NOTIFICATIONS_DELIVERED = "NotificationsDelivered"
"""The status topic hears what it is told. Not set while there has never been one."""
READY = "Ready"
"""Models can be trained and drawn with."""
