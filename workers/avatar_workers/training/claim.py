"""Claim an attempt before anything is spent on it, and hold on to it only as long as it is ours.

The operator fences an attempt whose fate it does not know by writing the same key; S3 lets exactly one of the two in
(avatar_api.documents.training). A message that SageMaker delivers twice is stopped here as well.

The operator stops a training that nobody wants any more (its model is deleted, its deadline is over) by overwriting or
removing the claim. SageMaker has no way to cancel an invocation, so the worker looks now and then, and always before
and after it uploads: a likeness must not appear after its owner wanted it gone.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingClaim, TrainingRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import (
    ObjectExists,
    ObjectNotFound,
    ObjectStorage,
    ObjectTooLarge,
    StorageDenied,
    StorageUnavailable,
)

CHECK_SECONDS = 5.0
MAX_CLAIM_BYTES = 64 << 10


class Claim:
    """An attempt that is ours until the operator takes it away.

    Args:
        request: the attempt.
        storage: where the claim stands.
        clock: seconds that only grow.
    """

    def __init__(
        self, request: TrainingRequest, storage: ObjectStorage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._storage = storage
        self._clock = clock
        self._checked = clock()

    def check(self) -> None:
        """Look at the claim if that was long ago. Storage that cannot be reached just now stops nothing.

        Raises:
            WorkerFailure: AttemptFenced, if the attempt is not ours any more.
        """
        if self._clock() - self._checked < CHECK_SECONDS:
            return
        self._checked = self._clock()
        try:
            self.confirm()
        except StorageUnavailable:
            return

    def confirm(self) -> None:
        """Make sure that the attempt is still ours.

        Raises:
            WorkerFailure: AttemptFenced, if it is not; the storage's own failures.
        """
        try:
            content = self._storage.read(self._request.claim_uri, max_bytes=MAX_CLAIM_BYTES)
            held = parse_document(TrainingClaim, content).holder == "Worker"
        except (ObjectNotFound, StorageDenied, ObjectTooLarge, UnreadableDocument):
            # Who may not list is told that it may not read, where nothing is to be read any more.
            held = False
        if not held:
            raise WorkerFailure(
                "AttemptFenced",
                f"attempt {self._request.attempt} ({self._request.inference_id}) was given up by the operator;"
                " it leaves nothing behind",
            )


def claim_attempt(request: TrainingRequest, storage: ObjectStorage) -> Claim:
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
    return Claim(request, storage)
