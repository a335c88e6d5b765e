"""The training contract: request, claim, progress, result.

The operator writes a `TrainingRequest` to S3 and names it as InputLocation of InvokeEndpointAsync; SageMaker hands it
to the worker's `POST /invocations`. Before it spends anything the worker claims the attempt: it writes a
`TrainingClaim` to `claimUri` with `If-None-Match: *`. The operator fences an attempt whose fate it does not know by
writing the same key in the same way. One of the two wins, so an attempt is trained at most once, whatever crashed.

Where the runtime has an attempt role, `credentialsUri` promises credentials that open what this attempt needs and nothing else;
the worker does everything with them. An operator that does not know them promises none.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.documents.bounds import (
    Address,
    Count,
    DocumentTime,
    Float32,
    InferenceId,
    Key,
    ObjectBytes,
    Ordinal,
    Seconds,
    Word,
)
from avatar_api.documents.photos import MAX_PHOTOS, PhotoVerdicts
from avatar_api.schema_base import ApiModel, S3ObjectUri, S3PrefixUri, Seed, Sha256

Stage = Literal["Preparing", "Training", "Packaging"]
MAX_STEPS = 20000
MAX_CLASS_IMAGES = 1000
MAX_PHOTO_BYTES = 104857600
MAX_PROGRESS_INTERVAL_SECONDS = 3600


class ObjectIdentity(ApiModel):
    """The Kubernetes object on whose behalf work is done."""

    namespace: Annotated[str, Field(max_length=63)]
    name: Annotated[str, Field(max_length=253)]
    uid: Annotated[str, Field(max_length=64)]


class PhotoLocation(ApiModel):
    """One photo to train on, pinned by version where the bucket has versions, and by ETag always."""

    uri: S3ObjectUri
    version_id: Key | None = None
    etag: Key | None = None


class PhotoPolicy(ApiModel):
    """How many photos must be usable, and how big one may be."""

    min_count: Annotated[int, Field(ge=0, le=MAX_PHOTOS)]
    max_count: Annotated[int, Field(ge=0, le=MAX_PHOTOS)]
    max_bytes: Annotated[int, Field(ge=0, le=MAX_PHOTO_BYTES)]


class SubjectWords(ApiModel):
    """ "a photo of <token> <classNoun>"."""

    class_noun: Word
    token: Word


class PriorPreservationSettings(ApiModel):
    """DreamBooth's class images (2208.12242, section 3.3)."""

    weight: Annotated[float, Field(ge=0, le=100)]
    num_class_images: Annotated[int, Field(ge=0, le=MAX_CLASS_IMAGES)]


class TrainingSettings(ApiModel):
    """Hyperparameters, all decided: user's wish, else the runtime's default, within the runtime's limits."""

    method: Literal["LoRA"]
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    batch_size: Annotated[int, Field(ge=1, le=64)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    rank: Annotated[int, Field(ge=1, le=256)]
    resolution: Annotated[int, Field(ge=64, le=2048, multiple_of=8)]
    text_encoder: Literal["Train", "Freeze"]
    prior_preservation: PriorPreservationSettings
    seed: Seed


class BaseModelReference(ApiModel):
    """The base that the worker must hold: another digest is refused, never silently used."""

    source: S3PrefixUri
    revision: Word
    sha256: Sha256


class ArtifactDestination(ApiModel):
    """Immutable keys that the artifact goes to. Nothing is there before; nothing overwrites it after."""

    uri: S3ObjectUri
    manifest_uri: S3ObjectUri
    target_model: Key


class ProgressDestination(ApiModel):
    """The SQS queue that progress is told to. Losing a message loses nothing but freshness."""

    queue_url: Address
    interval_seconds: Annotated[float, Field(ge=0, le=MAX_PROGRESS_INTERVAL_SECONDS)] = 5.0


class TrainingRequest(ApiModel):
    """Everything a worker needs for one attempt."""

    schema_version: Literal["avatars.dev/training-request/v1alpha1"] = "avatars.dev/training-request/v1alpha1"
    inference_id: InferenceId
    model: ObjectIdentity
    revision: Ordinal
    attempt: Ordinal
    photos: Annotated[list[PhotoLocation], Field(min_length=1, max_length=MAX_PHOTOS)]
    photo_policy: PhotoPolicy
    subject: SubjectWords
    training: TrainingSettings
    base_model: BaseModelReference
    claim_uri: S3ObjectUri
    credentials_uri: (
        Annotated[
            S3ObjectUri,
            Field(
                description="Work with the AttemptCredentials that are kept there, and not with the own role."
            ),
        ]
        | None
    ) = None
    artifact: ArtifactDestination
    progress: ProgressDestination | None = None


class TrainingClaim(ApiModel):
    """Who decided the fate of an attempt: the worker that runs it, or the operator that gave it up."""

    schema_version: Literal["avatars.dev/training-claim/v1alpha1"] = "avatars.dev/training-claim/v1alpha1"
    inference_id: InferenceId
    holder: Literal["Worker", "Operator"]
    time: DocumentTime


class TrainingProgressMessage(ApiModel):
    """How far a training is. A hint: it may come late, twice, out of order, or not at all."""

    schema_version: Literal["avatars.dev/training-progress/v1alpha1"] = (
        "avatars.dev/training-progress/v1alpha1"
    )
    inference_id: InferenceId
    model: ObjectIdentity
    stage: Stage
    step: Count = 0
    total_steps: Count = 0
    estimated_remaining_seconds: Count | None = None
    sequence: Annotated[Count, Field(description="Grows with every message of one attempt.")]
    time: DocumentTime


class ArtifactResult(ApiModel):
    """The artifact as the worker uploaded it."""

    uri: S3ObjectUri
    manifest_uri: S3ObjectUri
    target_model: Key
    sha256: Sha256
    size_bytes: Annotated[ObjectBytes, Field(gt=0)]


class TrainingResult(ApiModel):
    """Body of a successful invocation."""

    schema_version: Literal["avatars.dev/training-result/v1alpha1"] = "avatars.dev/training-result/v1alpha1"
    inference_id: InferenceId
    artifact: ArtifactResult
    photos: PhotoVerdicts
    seconds: Seconds
    final_loss: Float32
