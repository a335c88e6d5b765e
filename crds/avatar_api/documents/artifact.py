"""The manifest of a personal model: what is in it, what it was made from, and how to check both.

It stands twice: inside the archive (`manifest.json`, so that a serving worker can check what SageMaker unpacked) and
beside it in S3 (so that the operator can check it without downloading weights).
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.documents.bounds import DocumentTime, InferenceId, ObjectBytes, Ordinal, Word
from avatar_api.documents.photos import MAX_PHOTOS
from avatar_api.documents.training import BaseModelReference, ObjectIdentity, SubjectWords, TrainingSettings
from avatar_api.schema_base import ApiModel, Sha256

MANIFEST_NAME = "manifest.json"
WEIGHTS_NAME = "pytorch_lora_weights.safetensors"


class ArtifactFile(ApiModel):
    """One member of the archive."""

    path: Word
    sha256: Sha256
    size_bytes: ObjectBytes


class ArtifactManifest(ApiModel):
    """Provenance and checksums of a personal model."""

    schema_version: Literal["avatars.dev/artifact-manifest/v1alpha1"] = (
        "avatars.dev/artifact-manifest/v1alpha1"
    )
    model: ObjectIdentity
    revision: Ordinal
    attempt: Ordinal
    inference_id: InferenceId
    base_model: BaseModelReference
    subject: SubjectWords
    training: TrainingSettings
    photo_count: Annotated[int, Field(ge=0, le=MAX_PHOTOS)]
    files: Annotated[list[ArtifactFile], Field(min_length=1, max_length=16)]
    created_at: DocumentTime
    worker_version: Word
