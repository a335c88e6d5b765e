"""Who owns an attempt. The worker and the operator write the same key with the same condition, so one of them wins.

The fence is idempotent: an operator that finds its own claim has won before. A fenced attempt's request document is
removed, and its credentials with it, so that an invocation that still waits in SageMaker's queue fails while its input is fetched and never reaches
a container; the claim alone would already be enough.

A claim that nobody can read was not written by the operator. So it counts as a worker's, since the moment at which it
was found: the attempt is waited for, its deadline holds, and nothing is billed twice. (An honest worker that finds such
a claim in its own place stops.)
"""

from datetime import datetime

import structlog

from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingClaim
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import JSON, ObjectTooLarge, S3Objects
from avatar_operator.backends.attempts import AttemptReference, ClaimedByWorker, Fenced, FenceResult
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.clock import Clock

MAX_CLAIM_BYTES = 4096
MAX_TRIES = 3
log = structlog.get_logger(__name__)


async def fence_attempt(objects: S3Objects, clock: Clock, attempt: AttemptReference) -> FenceResult:
    """See Storage.fence_attempt."""
    location = S3Location.parse(attempt.locations.claim)
    for _ in range(MAX_TRIES):
        if await objects.create(location, _operator_claim(clock, attempt), content_type=JSON):
            return await _fenced(objects, attempt)
        claim = await _read(objects, clock, attempt)
        if claim is None:
            continue
        if claim.holder == "Worker":
            return ClaimedByWorker(since=claim.time)
        return await _fenced(objects, attempt)
    raise BackendError("ClaimContended", f"{location.uri} appears and disappears", retryable=True)


async def revoke_claim(objects: S3Objects, clock: Clock, attempt: AttemptReference) -> None:
    """See Storage.revoke_claim."""
    location = S3Location.parse(attempt.locations.claim)
    await objects.write(location, _operator_claim(clock, attempt), content_type=JSON)
    await _remove_documents(objects, attempt)


async def claimed_since(objects: S3Objects, clock: Clock, attempt: AttemptReference) -> datetime | None:
    """See Storage.claimed_since."""
    claim = await _read(objects, clock, attempt)
    return None if claim is None or claim.holder != "Worker" else claim.time


async def _fenced(objects: S3Objects, attempt: AttemptReference) -> Fenced:
    try:
        await _remove_documents(objects, attempt)
    except AwsFailure as error:
        log.warning(
            "request document or credentials of a fenced attempt stay",
            inference_id=attempt.inference_id,
            error=error.said.reveal(),
        )
    return Fenced()


async def _remove_documents(objects: S3Objects, attempt: AttemptReference) -> None:
    for document in (attempt.locations.credentials, attempt.locations.request):
        await objects.delete(S3Location.parse(document))


def _operator_claim(clock: Clock, attempt: AttemptReference) -> bytes:
    document = TrainingClaim(inference_id=attempt.inference_id, holder="Operator", time=clock.now())
    return document.model_dump_json(by_alias=True).encode()


async def _read(objects: S3Objects, clock: Clock, attempt: AttemptReference) -> TrainingClaim | None:
    location = S3Location.parse(attempt.locations.claim)
    try:
        content = await objects.read(location, max_bytes=MAX_CLAIM_BYTES)
        return None if content is None else parse_document(TrainingClaim, content)
    except (ObjectTooLarge, UnreadableDocument) as error:
        log.warning("a claim cannot be read; it counts as a worker's", claim=location.uri, error=str(error))
        return TrainingClaim(inference_id=attempt.inference_id, holder="Worker", time=clock.now())
