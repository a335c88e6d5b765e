"""Check an unpacked personal model: manifest against files, weights against common sense.

This is what stands between a bucket and the shared base: SageMaker hands a multi-model container a directory, a Pod
unpacks one itself, and both come here before they load anything.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME, ArtifactManifest
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_workers.artifact.archive import MAX_MANIFEST_BYTES, MAX_WEIGHTS_BYTES
from avatar_workers.artifact.lora_weights import LoraWeights, read_lora_weights
from avatar_workers.errors import WorkerFailure


@dataclass(frozen=True)
class VerifiedModel:
    """A personal model that has been checked, and may be loaded.

    Attributes:
        manifest: what it says of itself.
        weights: what is loaded.
        weights_sha256: digest of their file as it was found, not as anybody says.
    """

    manifest: ArtifactManifest
    weights: LoraWeights
    weights_sha256: str


def verify_directory(directory: Path, *, base_sha256: str, max_rank: int) -> VerifiedModel:
    """Check an unpacked archive.

    Args:
        directory: holds manifest.json and the weights.
        base_sha256: digest of the base that the model shall be loaded on.
        max_rank: refuse a larger rank.

    Raises:
        WorkerFailure: ArtifactInvalid for anything wrong inside, BaseModelMismatch for a model of another base.
    """
    manifest = _read_manifest(directory / MANIFEST_NAME)
    if manifest.base_model.sha256 != base_sha256:
        raise WorkerFailure(
            "BaseModelMismatch",
            f"the model was trained on the base {manifest.base_model.sha256} ({manifest.base_model.source}),"
            f" this worker holds {base_sha256}",
        )
    listed = {file.path: file for file in manifest.files}
    if set(listed) != {WEIGHTS_NAME}:
        raise WorkerFailure("ArtifactInvalid", f"the manifest must list {WEIGHTS_NAME} and nothing else")
    weights = directory / WEIGHTS_NAME
    if not weights.is_file() or weights.is_symlink():
        raise WorkerFailure("ArtifactInvalid", f"{WEIGHTS_NAME} is missing")
    if (
        weights.stat().st_size != listed[WEIGHTS_NAME].size_bytes
        or weights.stat().st_size > MAX_WEIGHTS_BYTES
    ):
        raise WorkerFailure("ArtifactInvalid", f"{WEIGHTS_NAME} has not the size that the manifest says")
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != listed[WEIGHTS_NAME].sha256:
        raise WorkerFailure("ArtifactInvalid", f"{WEIGHTS_NAME} has not the checksum that the manifest says")
    return VerifiedModel(manifest, read_lora_weights(weights, max_rank=max_rank), digest)


def _read_manifest(path: Path) -> ArtifactManifest:
    if not path.is_file() or path.is_symlink():
        raise WorkerFailure("ArtifactInvalid", f"{MANIFEST_NAME} is missing")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise WorkerFailure("ArtifactInvalid", f"{MANIFEST_NAME} is larger than {MAX_MANIFEST_BYTES} bytes")
    try:
        return parse_document(ArtifactManifest, path.read_bytes())
    except UnreadableDocument as error:
        raise WorkerFailure("ArtifactInvalid", f"{MANIFEST_NAME}: {error}") from error
