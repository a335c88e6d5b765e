"""What the runtime API's ValidationError says about the endpoint itself. Pure.

Only its text tells, and the text may quote what a user chose (a model's key). So only its beginning is read, where
SageMaker names the endpoint: "Endpoint NAME of account 123456789012 not found."
"""

import re
from enum import Enum

from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM, Confidential


class EndpointRefusal(Enum):
    """Why an endpoint takes no invocation at all. Each of it can be mended while the caller waits."""

    NOT_FOUND = "EndpointNotFound"
    NOT_READY = "EndpointNotReady"
    UNFIT = "EndpointUnfit"


REFUSAL_SENTENCES = {
    EndpointRefusal.NOT_FOUND: f"The endpoint of the AvatarRuntime is not there. {FOR_THE_PLATFORM_TEAM}",
    EndpointRefusal.NOT_READY: "The endpoint of the AvatarRuntime takes no calls just now. It is tried again.",
    EndpointRefusal.UNFIT: f"The endpoint of the AvatarRuntime is of another kind. {FOR_THE_PLATFORM_TEAM}",
}
"""What a tenant reads of each."""
_ENDPOINT = r"\AEndpoint \S+ (?:of account \S+ )?"
_SENTENCES = (
    (EndpointRefusal.NOT_FOUND, r"(?:was |could )?not (?:be )?found|does not exist"),
    (
        EndpointRefusal.UNFIT,
        r"is not a multi-model endpoint|has an AsyncInferenceConfig|does not support async",
    ),
    (EndpointRefusal.NOT_READY, r"is (?:not|in|currently|being)\b|has (?:no|not)\b"),
)
_REFUSALS = tuple(
    (refusal, re.compile(f"{_ENDPOINT}(?:{words})", re.IGNORECASE)) for refusal, words in _SENTENCES
)
_COULD_NOT_FIND = re.compile(r"\ACould not find endpoint\b", re.IGNORECASE)


def endpoint_refusal(text: Confidential) -> EndpointRefusal | None:
    """Read a ValidationError's message; None if it is about something else."""
    if text.match(_COULD_NOT_FIND):
        return EndpointRefusal.NOT_FOUND
    return next((refusal for refusal, sentence in _REFUSALS if text.match(sentence)), None)
