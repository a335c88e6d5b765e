"""AvatarModel: "fine-tune a Stable Diffusion model on these photos of one person".

What a user asks for stands in the spec; everything a platform team decides (base model, defaults, limits, where
things are stored) stands in the AvatarRuntime that `runtimeRef` names. Training inputs are fixed for a revision:
another value of `spec.revision` is the one way to train again, so that an edit never costs money by accident.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.deletion_policy import DeletionPolicy
from avatar_api.group import API_VERSION
from avatar_api.meta import Failure, LocalObjectReference, ObjectMeta, ObservedStatus
from avatar_api.schema_base import ApiModel, DecimalString, S3ObjectUri, S3PrefixUri, Seed, Sha256, Timestamp
from avatar_api.validation_rules import exactly_one_of, rules

ModelState = Literal[
    "Pending", "Queued", "Preparing", "Training", "Packaging", "Ready", "Failed", "Suspended", "Deleting"
]


class PhotoObject(ApiModel):
    """One photo in S3."""

    uri: S3ObjectUri
    version_id: Annotated[str, Field(max_length=1024)] | None = None


class Photos(ApiModel):
    """Where the photos of the one person are: a prefix, or a list of objects."""

    model_config = rules(exactly_one_of("s3Prefix", "objects"))

    s3_prefix: (
        Annotated[
            S3PrefixUri,
            Field(description="Every object directly under this prefix is a photo. Ends with a slash."),
        ]
        | None
    ) = None
    objects: (
        Annotated[
            list[PhotoObject],
            Field(
                min_length=1,
                max_length=100,
                description="The photos, one by one.",
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uri"]},
            ),
        ]
        | None
    ) = None


class Subject(ApiModel):
    """How prompts speak of the person: "a photo of <token> <classNoun>"."""

    class_noun: Annotated[str, Field(max_length=32, pattern=r"^[a-z][a-z ]*$")] = "person"
    token: Annotated[
        str,
        Field(
            max_length=16,
            pattern=r"^[a-z0-9]{2,16}$",
            description="A rare word that stands for this person in prompts.",
        ),
    ] = "sks"  # noqa: S105  # a word in prompts, not a secret


class PriorPreservation(ApiModel):
    """Pictures of the class, drawn by the base, that keep "a person" from becoming this person (DreamBooth, 2208.12242)."""

    model_config = rules(("!has(self.weight) || double(self.weight) <= 100.0", "weight must be at most 100"))

    weight: DecimalString | None = None
    num_class_images: (
        Annotated[int, Field(ge=0, le=1000, description="0 turns prior preservation off.")] | None
    ) = None


class TrainingOptions(ApiModel):
    """Hyperparameters. Every one is optional: the runtime has defaults, and limits."""

    model_config = rules(
        (
            "!has(self.learningRate) || (double(self.learningRate) > 0.0 && double(self.learningRate) <= 1.0)",
            "learningRate must be above 0 and at most 1",
        )
    )

    method: Literal["LoRA"] | None = None
    steps: Annotated[int, Field(ge=1, le=20000)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=64)] | None = None
    learning_rate: DecimalString | None = None
    rank: Annotated[int, Field(ge=1, le=256)] | None = None
    resolution: (
        Annotated[int, Field(ge=64, le=2048, multiple_of=8, description="Pixels, of a square.")] | None
    ) = None
    text_encoder: (
        Annotated[Literal["Train", "Freeze"], Field(description="Whether the text encoder gets a LoRA too.")]
        | None
    ) = None
    prior_preservation: PriorPreservation | None = None
    seed: Seed | None = None


class Retention(ApiModel):
    """How long a finished model is kept."""

    expire_after_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=315360000,
            description="Seconds after training ended; then the AvatarModel deletes itself.",
        ),
    ]


class AvatarModelSpec(ApiModel):
    """What is to be trained."""

    model_config = rules(
        ("self.runtimeRef == oldSelf.runtimeRef", "spec.runtimeRef is immutable: create another AvatarModel"),
        ("self.revision >= oldSelf.revision", "spec.revision only grows"),
        (
            "self.revision != oldSelf.revision || (self.photos == oldSelf.photos && self.subject == oldSelf.subject"
            " && has(self.training) == has(oldSelf.training) && (!has(self.training) || self.training == oldSelf.training))",
            "spec.photos, spec.subject and spec.training are fixed for a revision: raise spec.revision to train again",
        ),
    )

    runtime_ref: LocalObjectReference
    photos: Photos
    subject: Subject = Subject()
    training: TrainingOptions | None = None
    revision: Annotated[int, Field(ge=1, le=1000000, description="Raise it to train again.")] = 1
    suspend: Annotated[
        bool, Field(description="While true, no training starts. One that runs is not stopped.")
    ] = False
    active_deadline_seconds: (
        Annotated[int, Field(ge=60, le=86400, description="Seconds one attempt may take, queueing included.")]
        | None
    ) = None
    retention: Retention | None = None
    deletion_policy: Annotated[
        DeletionPolicy, Field(description="Whether artifacts go when the AvatarModel is deleted.")
    ] = "Delete"


class TrainingProgress(ApiModel):
    """How far the running training is."""

    step: Annotated[int, Field(ge=0)]
    total_steps: Annotated[int, Field(ge=0)]
    percent: Annotated[int, Field(ge=0, le=100)]
    estimated_remaining_seconds: Annotated[int, Field(ge=0)] | None = None


class TrainingStatus(ApiModel):
    """The current attempt to train the current revision."""

    revision: int
    attempt: Annotated[int, Field(description="Counts every attempt of this revision, from 1.")]
    failures: Annotated[
        int, Field(description="How many attempts of this revision failed; drives the back-off.")
    ] = 0
    inference_id: Annotated[str, Field(max_length=64)] | None = None
    output_location: Annotated[str, Field(max_length=2048)] | None = None
    failure_location: Annotated[str, Field(max_length=2048)] | None = None
    planned_time: Timestamp | None = None
    submitted_time: Timestamp | None = None
    completion_time: Timestamp | None = None
    retry_time: Annotated[Timestamp, Field(description="The next attempt starts no earlier.")] | None = None
    progress: TrainingProgress | None = None
    seconds: (
        Annotated[int, Field(description="Seconds the worker spent, from photos to artifact.")] | None
    ) = None
    log_url: Annotated[str, Field(max_length=2048)] | None = None


class RejectedPhoto(ApiModel):
    """A photo that was not used, and why."""

    key: Annotated[str, Field(max_length=1024)]
    reason: Annotated[str, Field(max_length=256)]


class PhotosStatus(ApiModel):
    """What photo preparation said of the photos."""

    accepted: int
    rejected: Annotated[
        list[RejectedPhoto], Field(max_length=100, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = Field(default_factory=list)


class ArtifactStatus(ApiModel):
    """The verified, immutable artifact that the multi-model endpoint loads."""

    uri: Annotated[str, Field(max_length=1024)]
    target_model: Annotated[
        str, Field(max_length=1024, description="Key below the multi-model endpoint's prefix.")
    ]
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]
    base_model: Annotated[str, Field(max_length=1024)]
    revision: int


class AvatarModelStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, Trained, Hosted, and Ready in sum."""

    state: (
        Annotated[ModelState, Field(description="One word for columns; the conditions are the contract.")]
        | None
    ) = None
    training: TrainingStatus | None = None
    photos: PhotosStatus | None = None
    artifact: ArtifactStatus | None = None
    last_failure: Failure | None = None


class AvatarModel(ApiModel):
    """A personal model of one person."""

    api_version: str = API_VERSION
    kind: Literal["AvatarModel"] = "AvatarModel"
    metadata: ObjectMeta
    spec: AvatarModelSpec
    status: AvatarModelStatus = AvatarModelStatus()
