"""Claim an attempt before anything is spent on it.

The operator fences an attempt whose fate it does not know by writing the same key; S3 lets exactly one of the two in
(avatar_api.documents.training). A message that SageMaker delivers twice is stopped here as well.
"""

from datetime import UTC, datetime

from avatar_api.documents.training import TrainingClaim, TrainingRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectExists, ObjectStorage


def claim_attempt(request: TrainingRequest, storage: ObjectStorage) -> None:
    """Write the worker's claim.

    Raises:
        WorkerFailure: AttemptFenced, if somebody has decided the attempt's fate before; the storage's own failures.
    """
    claim = TrainingClaim(inference_id=request.inference_id, holder="Worker", time=datetime.now(UTC))
    try:
        storage.create(
            request.claim_uri,
            claim.model_dump_json(by_alias=True).encode(),
            content_type="application/json",
        )
    except ObjectExists as error:
        raise WorkerFailure(
            "AttemptFenced",
            f"attempt {request.attempt} ({request.inference_id}) has been claimed or given up already;"
            " nothing was done",
        ) from error
