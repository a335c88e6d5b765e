"""What a message on the operator's queue says. Pure, total: whatever arrives, it answers and never raises.

Three senders share the queue. SageMaker publishes to SNS topics that the queue subscribes to, in an SNS envelope or raw
(RawMessageDelivery); workers send progress straight to the queue. AWS documents the success message only; failures are
known from the field, so nothing is asked of a message but its name and the inference id. SageMaker publishes a
TestNotification whenever an endpoint is made or updated.

A bucket with photos, where somebody has set it up, tells of uploads: straight, by a topic, or by EventBridge. What happened
to an object is not asked: too many photos are mended by removing some.

Sources: SageMaker Developer Guide, "Check prediction results" of asynchronous inference; S3 User Guide, "Event message
structure" (keys are encoded as in a form) and "EventBridge event message structure" (keys are left as they are).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote_plus

from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingProgressMessage
from avatar_operator.names import parse_inference_id

MAX_MESSAGE_BYTES = 1 << 20
"""SQS carries no more."""
_PROGRESS_SCHEMA = "avatars.dev/training-progress/"


@dataclass(frozen=True)
class AttemptHint:
    """An attempt has come to an end, it is said."""

    inference_id: str


@dataclass(frozen=True)
class ProgressHint:
    """A worker says how far it is."""

    message: TrainingProgressMessage


@dataclass(frozen=True)
class ChangedObject:
    """An object that came, changed or went."""

    bucket: str
    key: str


@dataclass(frozen=True)
class PhotosHint:
    """Objects changed in a bucket; they may be somebody's photos."""

    objects: tuple[ChangedObject, ...]


@dataclass(frozen=True)
class Ignored:
    """A message that is none of our business. `reason` is one word."""

    reason: str


@dataclass(frozen=True)
class Unparsable:
    """A message that nobody can read. `reason` is a sentence."""

    reason: str


Hint = AttemptHint | ProgressHint | PhotosHint
Message = Hint | Ignored | Unparsable


class HintOutcome(Enum):
    """What became of a hint. The value is its label in the metrics."""

    TAKEN = "Accepted"
    """Its object will be looked at."""
    UNKNOWN = "Unknown"
    """Nobody here knows its object. Somebody else may, who shares the queue."""
    STALE = "Stale"
    """Its object is known to have gone."""
    UNAWAITED = "Unawaited"
    """It concerns nobody: no model waits for these photos."""
    IMPOSSIBLE = "Impossible"
    """It tells of progress that the attempt cannot make."""


OnHint = Callable[[Hint], HintOutcome]
"""Takes a hint. It must not block."""


def parse_message(body: str | bytes) -> Message:
    """Read one message.

    Args:
        body: of an SQS message.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        return Unparsable("larger than any message of SQS")
    document = _object(body)
    if document is None:
        return Unparsable("not a JSON object")
    if document.get("Type") == "Notification" and "Message" in document:
        content = document["Message"]
        document = _object(content) if isinstance(content, str) else None
        if not isinstance(content, str) or document is None:
            return Unparsable("an SNS notification whose Message is not a JSON object")
        body = content
    return _meaning(document, body)


def _object(text: str | bytes) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _meaning(document: dict[str, object], text: str | bytes) -> Message:
    schema = document.get("schemaVersion")
    if isinstance(schema, str) and schema.startswith(_PROGRESS_SCHEMA):
        return _progress(text)
    match document.get("eventName"):
        case "TestNotification":
            return Ignored("TestNotification")
        case "InferenceResult":
            return _attempt(document.get("inferenceId"))
    if document.get("Event") == "s3:TestEvent":
        return Ignored("TestEvent")
    if "Records" in document:
        records = document["Records"]
        return _photos([_part(record, "s3") for record in records] if isinstance(records, list) else [])
    if document.get("source") == "aws.s3":
        return _photos([document.get("detail")], encoded=False)
    return Unparsable("neither a notification of SageMaker or S3 nor a worker's progress")


def _attempt(inference_id: object) -> Message:
    if not isinstance(inference_id, str) or not inference_id:
        return Unparsable("an InferenceResult without inferenceId")
    if parse_inference_id(inference_id) is None:
        return Ignored("ForeignInference")
    return AttemptHint(inference_id)


def _progress(text: str | bytes) -> Message:
    try:
        message = parse_document(TrainingProgressMessage, text)
    except UnreadableDocument as error:
        return Unparsable(str(error))
    if parse_inference_id(message.inference_id) is None:
        return Ignored("ForeignInference")
    return ProgressHint(message)


def _photos(events: Sequence[object], *, encoded: bool = True) -> Message:
    changed = []
    for event in events:
        bucket, key = _part(_part(event, "bucket"), "name"), _part(_part(event, "object"), "key")
        if isinstance(bucket, str) and bucket and isinstance(key, str):
            changed.append(ChangedObject(bucket, unquote_plus(key) if encoded else key))
    return PhotosHint(tuple(changed)) if changed else Unparsable("an S3 event that names no object")


def _part(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else None
