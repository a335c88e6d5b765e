"""How an attempt stands, from what lies in S3. Notifications are only the reason to look.

Success first: SageMaker writes either an output or a failure object, and an output means that the worker answered 200.
A location that InvokeEndpointAsync returned is read directly, if its key is this attempt's own: it comes from a status, and
is looked at on behalf of whoever may read that. Without one (the answer was lost, the worker holds the claim) the
attempt's own directory is listed, because SageMaker chooses the last part of the key. Whether a success's
artifact is sound is not looked at here: that is Storage's to say.

What lies there is a claim. One that is no result, or out of all bounds, stays so however often it is read: it ends the
attempt. Of a failure only the beginning is read; the rest explains nothing.
"""

from dataclasses import dataclass

from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingResult
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import ObjectTooLarge, S3Objects
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
)
from avatar_operator.backends.sagemaker.failure_text import MAX_TEXT, failure_cause
from avatar_operator.backends.worker_words import public_words
from avatar_operator.core.confidential import Confidential
from avatar_operator.locations import outcome_extension
from avatar_operator.own_places import is_own_outcome

MAX_RESULT_BYTES = 1 << 20
MAX_OUTCOMES = 100


@dataclass(frozen=True)
class OutcomePaths:
    """The prefixes below which SageMaker stores one attempt's output and failure."""

    output: S3Location
    failure: S3Location


def attempt_paths(
    output_path: S3Location, failure_path: S3Location, attempt: AttemptReference
) -> OutcomePaths:
    """An attempt's own prefixes below S3OutputPath and S3FailurePath of the endpoint."""
    extension = f"{outcome_extension(attempt.namespace, attempt.uid, attempt.inference_id)}/"
    return OutcomePaths(output_path.below(extension), failure_path.below(extension))


async def outcome_location(objects: S3Objects, prefix: S3Location) -> str | None:
    """The newest object below an attempt's prefix, or None."""
    listed = await objects.list_below(prefix, limit=MAX_OUTCOMES)
    return max(listed, key=lambda entry: entry.modified).location.uri if listed else None


async def attempt_outcome(
    objects: S3Objects, attempt: AttemptReference, paths: OutcomePaths
) -> AttemptOutcome:
    """See Compute.attempt_outcome."""
    succeeded = await _location(objects, attempt, attempt.output_location, paths.output)
    try:
        output = None if succeeded is None else await objects.read(succeeded, max_bytes=MAX_RESULT_BYTES)
    except ObjectTooLarge as error:
        return _invalid("The worker's result is too large", str(error))
    if output is not None:
        return _succeeded(attempt, output)
    failed = await _location(objects, attempt, attempt.failure_location, paths.failure)
    failure = None if failed is None else await objects.read_beginning(failed, max_bytes=MAX_TEXT)
    if failure is not None:
        cause = failure_cause(failure.decode(errors="replace"))
        return AttemptFailed(cause.reason, cause.message, cause.retryable, cause.error, cause.said)
    return AttemptPending()


async def _location(
    objects: S3Objects, attempt: AttemptReference, recorded: str | None, prefix: S3Location
) -> S3Location | None:
    is_own = recorded is not None and is_own_outcome(
        recorded, attempt.namespace, attempt.uid, attempt.inference_id
    )
    location = recorded if is_own else await outcome_location(objects, prefix)
    return None if location is None else S3Location.parse(location)


def _succeeded(attempt: AttemptReference, output: bytes) -> AttemptOutcome:
    try:
        result = parse_document(TrainingResult, output)
    except UnreadableDocument as error:
        words = public_words(str(error))
        return _invalid(f"The worker's result cannot be read{f' ({words})' if words else ''}", str(error))
    if result.inference_id != attempt.inference_id:
        return _invalid(
            "The worker's result is that of another attempt",
            f"it is that of {result.inference_id!r}, not of {attempt.inference_id!r}",
        )
    return AttemptSucceeded(result)


def _invalid(message: str, said: str) -> AttemptFailed:
    return AttemptFailed(
        "ResultInvalid",
        f"{message}. Do the worker's image and the operator fit together?",
        retryable=False,
        said=Confidential(said),
    )
