"""Who owns an attempt. The worker and the operator write the same key with the same condition, so one of them wins.

The fence is idempotent: an operator that finds its own claim has won before. A fenced attempt's request document is
removed, so that an invocation that still waits in SageMaker's queue fails while its input is fetched and never reaches
a container; the claim alone would already be enough.
"""

import structlog
from pydantic import ValidationError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingClaim
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.base import (
    AttemptReference,
    BackendError,
    ClaimedByWorker,
    Fenced,
    FenceResult,
)
from avatar_operator.backends.sagemaker.layout import JSON, claim, request_document
from avatar_operator.backends.sagemaker.outcome import OutcomePaths, outcome_location
from avatar_operator.core.clock import Clock

MAX_CLAIM_BYTES = 4096
MAX_TRIES = 3
log = structlog.get_logger(__name__)


async def fence_attempt(
    objects: S3Objects, clock: Clock, runtime: AvatarRuntime, attempt: AttemptReference, paths: OutcomePaths
) -> FenceResult:
    """See Backend.fence_attempt.

    Args:
        paths: below these the attempt's outcome lies, if the worker has won and is done.
    """
    location = claim(runtime, attempt)
    for _ in range(MAX_TRIES):
        if await objects.create(location, _operator_claim(clock, attempt), content_type=JSON):
            return await _fenced(objects, runtime, attempt)
        holder = await _holder(objects, location)
        if holder == "Operator":
            return await _fenced(objects, runtime, attempt)
        if holder == "Worker":
            return ClaimedByWorker(
                output_location=await outcome_location(objects, paths.output),
                failure_location=await outcome_location(objects, paths.failure),
            )
    raise BackendError("ClaimContended", f"{location.uri} appears and disappears", retryable=True)


async def cancel_attempt(
    objects: S3Objects, clock: Clock, runtime: AvatarRuntime, attempt: AttemptReference
) -> None:
    """See Backend.cancel_attempt."""
    await objects.write(claim(runtime, attempt), _operator_claim(clock, attempt), content_type=JSON)
    await objects.delete(request_document(runtime, attempt))


async def _fenced(objects: S3Objects, runtime: AvatarRuntime, attempt: AttemptReference) -> Fenced:
    try:
        await objects.delete(request_document(runtime, attempt))
    except AwsFailure as error:
        log.warning(
            "request document of a fenced attempt stays",
            inference_id=attempt.inference_id,
            error=error.message,
        )
    return Fenced()


def _operator_claim(clock: Clock, attempt: AttemptReference) -> bytes:
    document = TrainingClaim(inference_id=attempt.inference_id, holder="Operator", time=clock.now())
    return document.model_dump_json(by_alias=True).encode()


async def _holder(objects: S3Objects, location: S3Location) -> str | None:
    content = await objects.read(location, max_bytes=MAX_CLAIM_BYTES)
    if content is None:
        return None
    try:
        return TrainingClaim.model_validate_json(content).holder
    except ValidationError as error:
        raise BackendError(
            "ClaimUnreadable",
            f"{location.uri} is no claim, so nobody knows whether this attempt runs: look at the training endpoint's"
            " log, then delete the object if nothing runs",
            retryable=False,
        ) from error
