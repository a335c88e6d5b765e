"""What the runtime API's ValidationError says about the endpoint itself. Only its text tells. Pure."""

import re
from enum import Enum


class EndpointRefusal(Enum):
    """Why an endpoint takes no invocation at all."""

    NOT_FOUND = "EndpointNotFound"
    NOT_READY = "EndpointNotReady"


_NOT_FOUND = re.compile(r"endpoint .*(not found|does not exist)|could not find endpoint", re.IGNORECASE)
_NOT_READY = re.compile(r"not (currently )?in ?service|in the process of|status", re.IGNORECASE)


def endpoint_refusal(text: str) -> EndpointRefusal | None:
    """Read a ValidationError's message; None if it is about something else."""
    if _NOT_FOUND.search(text):
        return EndpointRefusal.NOT_FOUND
    if _NOT_READY.search(text):
        return EndpointRefusal.NOT_READY
    return None
