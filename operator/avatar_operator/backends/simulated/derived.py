"""What a simulated backend says, derived from names alone. Pure."""

import hashlib

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import ArtifactResult, TrainingResult
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.locations import document_directory

USUAL_PHOTO_COUNT = 12
ARTIFACT_BYTES = 3_227_648
FINAL_LOSS = 0.1


def digest(*parts: object) -> str:
    """SHA-256 of some names."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def photo_uris(runtime: AvatarRuntime, prefix: str) -> list[str]:
    """The photos that stand under a prefix: as many as usual, within the runtime's limits."""
    limits = runtime.spec.limits.photos
    count = min(max(USUAL_PHOTO_COUNT, limits.min_count), limits.max_count)
    return [f"{prefix}{number:02d}.jpg" for number in range(1, count + 1)]


def fails(inference_id: str, failure_percent: int) -> bool:
    """Whether an attempt is one of those that fail: the same answer every time it is asked."""
    return int(digest("fate", inference_id), 16) % 100 < failure_percent


def training_result(runtime: AvatarRuntime, attempt: AttemptReference, seconds: float) -> TrainingResult:
    """The result of an attempt that succeeded."""
    locations = attempt.locations
    photos = document_directory(attempt.storage, attempt.namespace, attempt.uid)
    return TrainingResult(
        inference_id=attempt.inference_id,
        artifact=ArtifactResult(
            uri=locations.artifact,
            manifest_uri=locations.manifest,
            target_model=locations.target_model,
            sha256=digest("artifact", attempt.inference_id),
            size_bytes=ARTIFACT_BYTES,
        ),
        photos=[PhotoVerdict(uri=uri) for uri in photo_uris(runtime, photos)],
        seconds=seconds,
        final_loss=FINAL_LOSS,
    )


def weights_sha256(target_model: str) -> str:
    """The digest of the weights in an artifact, had they been trained."""
    return digest("weights", target_model)


def picture_sha256(output_prefix: str, picture: PictureRequest) -> str:
    """The checksum of a picture, had it been drawn."""
    return digest("picture", output_prefix, picture.prompt, picture.negative_prompt, picture.file_name())
