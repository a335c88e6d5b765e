"""Turn a trained LoRA into an artifact, and put it where nothing was before.

The weights are read back with the checks that a serving worker will make, so that what could not be loaded is never
uploaded. The archive goes first and the manifest after it: a manifest in S3 means a whole artifact.

The claim is confirmed right before the upload and right after it. An operator that takes the claim away and then deletes
what lies there has deleted the artifact, or finds that the worker does: no likeness appears after its owner wanted it
gone, however late a worker is that outlived its invocation.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME, ArtifactFile, ArtifactManifest
from avatar_api.documents.training import ArtifactResult, TrainingRequest
from avatar_workers.artifact.archive import pack_archive
from avatar_workers.artifact.lora_weights import read_lora_weights
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectStorage
from avatar_workers.training.claim import Claim
from avatar_workers.training.lora import LoraOnBase
from avatar_workers.version import WORKER_VERSION

ARCHIVE_NAME = "model.tar.gz"


def package_and_upload(
    lora: LoraOnBase,
    request: TrainingRequest,
    claim: Claim,
    *,
    photo_count: int,
    storage: ObjectStorage,
    scratch: Path,
) -> ArtifactResult:
    """Save, check, pack and upload.

    Args:
        lora: trained, still on its base.
        request: names the destination.
        claim: says whether anybody still wants it.
        photo_count: how many photos were used.
        storage: where the artifact goes.
        scratch: an empty directory.

    Raises:
        WorkerFailure: AttemptFenced if the key is taken, or the claim was taken away; the storage's own failures.
    """
    lora.save(scratch)
    weights = scratch / WEIGHTS_NAME
    read_lora_weights(weights, max_rank=request.training.rank)
    manifest = _manifest(request, photo_count, weights)
    archive = scratch / ARCHIVE_NAME
    pack_archive(archive, {MANIFEST_NAME: manifest, WEIGHTS_NAME: weights})
    identity = {"inference-id": request.inference_id, "model-uid": request.model.uid}
    claim.confirm()
    storage.create(request.artifact.uri, archive, content_type="application/gzip", metadata=identity)
    storage.create(
        request.artifact.manifest_uri, manifest, content_type="application/json", metadata=identity
    )
    try:
        claim.confirm()
    except WorkerFailure as failure:
        if failure.code == "AttemptFenced":
            storage.delete(request.artifact.manifest_uri)
            storage.delete(request.artifact.uri)
        raise
    return ArtifactResult(
        uri=request.artifact.uri,
        manifest_uri=request.artifact.manifest_uri,
        target_model=request.artifact.target_model,
        sha256=_sha256(archive),
        size_bytes=archive.stat().st_size,
    )


def _manifest(request: TrainingRequest, photo_count: int, weights: Path) -> bytes:
    manifest = ArtifactManifest(
        model=request.model,
        revision=request.revision,
        attempt=request.attempt,
        inference_id=request.inference_id,
        base_model=request.base_model,
        subject=request.subject,
        training=request.training,
        photo_count=photo_count,
        files=[ArtifactFile(path=WEIGHTS_NAME, sha256=_sha256(weights), size_bytes=weights.stat().st_size)],
        created_at=datetime.now(UTC),
        worker_version=WORKER_VERSION,
    )
    return manifest.model_dump_json(by_alias=True, indent=2).encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
