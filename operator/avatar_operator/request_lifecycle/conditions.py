"""The conditions of an AvatarRequest."""

ACCEPTED = "Accepted"
"""What is asked for is within the runtime's limits and allowed locations."""
MODEL_RESOLVED = "ModelResolved"
"""The model exists in this namespace and has a hosted artifact."""
SUCCEEDED = "Succeeded"
"""Every picture has been drawn and lies in storage. The summary of the request."""
