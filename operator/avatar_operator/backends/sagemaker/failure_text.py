"""Why a training or a drawing failed, read from whatever SageMaker wraps around the worker's own words. Pure.

A worker answers with a WorkerError document. SageMaker puts that body into a sentence of its own ('Received server
error (500) from model with message "..."'), sometimes escaped, sometimes inside another JSON document, sometimes cut
off. AWS documents none of it, so the document is searched for, not expected.

The class of a failure comes from three sources, in this order: the worker's document, the HTTP status that SageMaker
states, and the beginning of a sentence that SageMaker itself speaks. Never from words found anywhere else: what a
container says may quote a user, or a page of some proxy, and neither decides whether a training is repeated.
"""

import json
import re
from dataclasses import dataclass

from pydantic import ValidationError

from avatar_api.documents.errors import RETRYABLE, WorkerError
from avatar_api.documents.parsing import parse_document
from avatar_operator.aws.error_codes import PASSING_STATUSES
from avatar_operator.backends.worker_words import worker_sentence
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM, NOTHING, Confidential

MAX_TEXT = 65536
MAX_DEPTH = 4
MAX_MESSAGE = 1000
TIMED_OUT = 0
"""The status that SageMaker states for a container that did not answer in time."""
_SCHEMA = "avatars.dev/worker-error/"
_CUT_DOCUMENT = re.compile(
    r'"code"\s*:\s*"(?P<code>[A-Za-z]+)"'
    r'(?:\s*,\s*"message"\s*:\s*"(?P<message>(?:[^"\\]|\\.)*)'
    r'(?:"\s*,\s*"retryable"\s*:\s*(?P<retryable>true|false))?)?',
    re.DOTALL,
)
"""The members of a WorkerError in the order in which they are written, as far as they are there."""
_SPEAKER = r"\A\s*(?:ClientError: |ModelError: )?"
_STATUS = re.compile(_SPEAKER + r"Received (?:client|server) error \((\d{1,3})\) from ")
_INVOCATION_TIMED_OUT = re.compile(_SPEAKER + r"Your invocation timed out while waiting for a response")
_EXPIRED = re.compile(_SPEAKER + r"(?:The )?request (?:has )?expired ", re.IGNORECASE)
_UNREADABLE = re.compile(
    _SPEAKER + r"Unable to (?:download|read|access) the (?:inference request payload|InputLocation)"
)
_LOST = re.compile(_SPEAKER + r"Amazon SageMaker could not get a response from the ")


@dataclass(frozen=True)
class FailureCause:
    """Why something failed.

    Attributes:
        reason: one word.
        message: a sentence for a tenant.
        retryable: whether it may work the next time.
        said: what SageMaker or the worker said.
        error: the worker's document, if there is one.
    """

    reason: str
    message: str
    retryable: bool
    said: Confidential = NOTHING
    error: WorkerError | None = None


def failure_cause(text: str) -> FailureCause:
    """Read a failure's text.

    Args:
        text: content of a failure object, or a message of SageMaker.
    """
    text = text[:MAX_TEXT]
    error = find_worker_error(text)
    if error is not None:
        said = Confidential(f"the worker says: {error.message}")
        return FailureCause(error.code, worker_sentence(error), error.retryable, said, error)
    status = stated_status(text)
    return _spoken(text) if status is None else answered_with(status, text)


def stated_status(text: str) -> int | None:
    """The HTTP status of the container, if the text is SageMaker's sentence about one."""
    stated = _STATUS.match(text)
    return None if stated is None else int(stated[1])


def answered_with(status: int, text: str) -> FailureCause:
    """What a container's answer means that carries no document.

    Args:
        status: of the answer; `TIMED_OUT` if there was none in time.
        text: what was said with it.
    """
    said = _said(text)
    if status == TIMED_OUT:
        return _timed_out(said)
    if status in PASSING_STATUSES:
        return _cause("WorkerUnavailable", f"The worker asked with {status} to come back later.", said)
    if 400 <= status < 500:
        return _cause(
            "WorkerRejected", f"The worker refused the request with {status}.", said, retryable=False
        )
    return _cause("WorkerFailed", f"The worker failed with {status}.", said)


def find_worker_error(text: str) -> WorkerError | None:
    """The worker's WorkerError document inside a text, whole or cut off, or None.

    It is the first one: whatever a user may have written stands inside its message.
    """
    for _ in range(MAX_DEPTH):
        mention = text.find(_SCHEMA)
        if mention < 0:
            return None
        if text[mention - 1 : mention] == '"' and text[mention - 2 : mention - 1] != "\\":
            start = text.rfind("{", 0, mention)
            return None if start < 0 else _whole_document(text, start) or _cut_document(text[start:])
        text = text.replace('\\"', '"').replace("\\\\", "\\")
    return None


def _whole_document(text: str, start: int) -> WorkerError | None:
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
        return parse_document(WorkerError, text[start:end])
    except (ValueError, RecursionError):
        return None


def _cut_document(text: str) -> WorkerError | None:
    found = _CUT_DOCUMENT.search(text)
    if found is None:
        return None
    message = found["message"] or "(the message was cut off)"
    try:
        return WorkerError.model_validate(
            {
                "code": found["code"],
                "message": message.replace('\\"', '"')[:MAX_MESSAGE],
                "retryable": found["retryable"] == "true"
                if found["retryable"]
                else found["code"] in RETRYABLE,
            }
        )
    except ValidationError:
        return None


def _spoken(text: str) -> FailureCause:
    said = _said(text)
    if _INVOCATION_TIMED_OUT.match(text):
        return _timed_out(said)
    if _EXPIRED.match(text):
        message = "The request waited in the queue for too long: the endpoint needs more instances."
        return _cause("RequestExpired", message, said)
    if _UNREADABLE.match(text):
        message = "The endpoint could not fetch the request document: its role must be allowed to read it."
        return _cause("RequestUnreadable", message, said)
    if _LOST.match(text):
        return _cause("WorkerLost", "The worker ended in the middle of its work.", said)
    return _cause("InvocationFailed", "SageMaker could not have this done.", said)


def _timed_out(said: Confidential) -> FailureCause:
    message = "The worker did not finish in time. Ask for less, or give the endpoint more time or a faster instance."
    return FailureCause("InvocationTimedOut", message, retryable=False, said=said)


def _cause(reason: str, message: str, said: Confidential, *, retryable: bool = True) -> FailureCause:
    return FailureCause(reason, f"{message} {FOR_THE_PLATFORM_TEAM}", retryable, said)


def _said(text: str) -> Confidential:
    said = text.strip()[:MAX_MESSAGE]
    return Confidential(f"SageMaker says: {said}" if said else "SageMaker gives no reason")
