"""Why a training or a drawing failed, read from whatever SageMaker wraps around the worker's own words. Pure.

A worker answers with a WorkerError document. SageMaker puts that body into a sentence of its own ('Received server
error (500) from model with message "..."'), sometimes escaped, sometimes inside another JSON document, sometimes cut
off. AWS documents none of it, so the document is searched for, not expected; what has none is classified by its text.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from avatar_api.documents.errors import RETRYABLE, WorkerError

MAX_TEXT = 65536
MAX_CANDIDATES = 200
MAX_DEPTH = 4
MAX_MESSAGE = 1000
_SCHEMA = "avatars.dev/worker-error/"


@dataclass(frozen=True)
class FailureCause:
    """Why something failed: one word, a sentence, whether it may work the next time, the worker's document if any."""

    reason: str
    message: str
    retryable: bool
    error: WorkerError | None = None


def failure_cause(text: str) -> FailureCause:
    """Read a failure's text.

    Args:
        text: content of a failure object, or a message of SageMaker.
    """
    text = text[:MAX_TEXT]
    error = find_worker_error(text)
    if error is not None:
        return FailureCause(error.code, error.message, error.retryable, error)
    return _classified(text)


def find_worker_error(text: str) -> WorkerError | None:
    """The first WorkerError document inside a text, whole or cut off, or None."""
    return _whole_document(text, MAX_DEPTH) or _cut_document(text)


def _whole_document(text: str, depth: int) -> WorkerError | None:
    if depth == 0 or _SCHEMA not in text:
        return None
    for value in _embedded_json(text):
        found = _in_value(value, depth)
        if found is not None:
            return found
    unescaped = text.replace('\\"', '"').replace("\\\\", "\\")
    return _whole_document(unescaped, depth - 1) if unescaped != text else None


def _in_value(value: object, depth: int) -> WorkerError | None:
    if isinstance(value, str):
        return _whole_document(value, depth - 1)
    if not isinstance(value, dict):
        return None
    try:
        return WorkerError.model_validate(value) if "schemaVersion" in value else _in_members(value, depth)
    except ValidationError:
        return _in_members(value, depth)


def _in_members(value: dict[str, object], depth: int) -> WorkerError | None:
    for member in value.values():
        found = _in_value(member, depth - 1) if depth else None
        if found is not None:
            return found
    return None


def _embedded_json(text: str) -> Iterator[object]:
    decoder = json.JSONDecoder()
    position = text.find("{")
    for _ in range(MAX_CANDIDATES):
        if position < 0:
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position = text.find("{", position + 1)
            continue
        yield value
        position = text.find("{", end)


def _cut_document(text: str) -> WorkerError | None:
    if _SCHEMA not in text:
        return None
    plain = text.replace('\\"', '"')
    code = re.search(r'"code"\s*:\s*"([A-Za-z]+)"', plain)
    message = re.search(r'"message"\s*:\s*"([^"]*)', plain)
    retryable = re.search(r'"retryable"\s*:\s*(true|false)', plain)
    if code is None:
        return None
    try:
        return WorkerError.model_validate(
            {
                "code": code[1],
                "message": (message[1] if message else "(the message was cut off)")[:MAX_MESSAGE],
                "retryable": retryable[1] == "true" if retryable else code[1] in RETRYABLE,
            }
        )
    except ValidationError:
        return None


def _classified(text: str) -> FailureCause:
    said = f"SageMaker says: {text.strip()[:MAX_MESSAGE]}" if text.strip() else "SageMaker gives no reason"
    lowered = text.lower()
    if re.search(r"timed out|time-out|timeout|error \(0\)", lowered):
        return FailureCause(
            "InvocationTimedOut",
            f"the worker did not finish in time. Ask for less, or give the endpoint more time or a faster instance. {said}",
            retryable=False,
        )
    if re.search(r"\bexpired\b|\bttl\b", lowered):
        return FailureCause(
            "RequestExpired",
            f"the request waited in the queue for too long: the endpoint needs more instances. {said}",
            retryable=True,
        )
    if re.search(r"input ?location|download", lowered):
        return FailureCause(
            "RequestUnreadable",
            f"the endpoint could not fetch the request document: its execution role must be allowed to read it. {said}",
            retryable=not re.search(r"denied|forbidden|403|not authorized", lowered),
        )
    if "could not get a response" in lowered:
        return FailureCause(
            "WorkerLost", f"the worker ended in the middle of its work. {said}", retryable=True
        )
    status = re.search(r"\(([45])\d\d\)", text)
    if status is not None and status[1] == "4":
        return FailureCause("WorkerRejected", f"the worker refused the request. {said}", retryable=False)
    if status is not None:
        return FailureCause("WorkerFailed", f"the worker failed. {said}", retryable=True)
    return FailureCause("InvocationFailed", said, retryable=True)
