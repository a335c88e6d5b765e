"""What users of an AvatarRuntime get who do not say, and the most that they may ask for."""

from typing import Annotated

from pydantic import Field

from avatar_api.avatar_request import MAX_PICTURES, SchedulerName
from avatar_api.schema_base import ApiModel, decimal
from avatar_api.training_options import TrainingOptions
from avatar_api.validation_rules import rules


class InferenceDefaults(ApiModel):
    """What a request gets that does not say."""

    steps: Annotated[int, Field(ge=1, le=150, description="Denoising steps of each picture.")] = 25
    guidance: Annotated[
        str,
        decimal("guidance", at_most=50, example="7.5"),
        Field(
            description="How closely pictures follow the prompt (classifier-free guidance scale): a decimal number in "
            'quotes, such as "7.5".'
        ),
    ] = "7.5"
    width: Annotated[
        int, Field(ge=64, le=2048, multiple_of=8, description="Width of each picture, in pixels.")
    ] = 512
    height: Annotated[
        int, Field(ge=64, le=2048, multiple_of=8, description="Height of each picture, in pixels.")
    ] = 512
    scheduler: Annotated[
        SchedulerName, Field(description="The method of denoising, by its name in diffusers.")
    ] = "DDIM"


class Defaults(ApiModel):
    """What users get who do not say."""

    training: TrainingOptions = TrainingOptions()
    inference: InferenceDefaults = InferenceDefaults()


class PhotoLimits(ApiModel):
    """How many photos, and how big."""

    model_config = rules(("self.minCount <= self.maxCount", "minCount must not be above maxCount"))

    min_count: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Photos that a model needs at least: as many must lie there, and be usable.",
        ),
    ] = 10
    max_count: Annotated[int, Field(ge=1, le=100, description="Photos that a model may have at most.")] = 15
    max_bytes: Annotated[
        int,
        Field(
            ge=1024,
            le=104857600,
            description="Size of one photo at most, in bytes; a larger one is not used.",
        ),
    ] = 20971520


class TrainingLimits(ApiModel):
    """The most that a training may ask for, and how failures are retried."""

    max_steps: Annotated[
        int, Field(ge=1, le=20000, description="Training steps at most, in training.steps.")
    ] = 2000
    max_batch_size: Annotated[
        int, Field(ge=1, le=64, description="Photos in one training step at most, in training.batchSize.")
    ] = 8
    max_rank: Annotated[
        int, Field(ge=1, le=256, description="Columns of the LoRA's matrices at most, in training.rank.")
    ] = 64
    max_resolution: Annotated[
        int, Field(ge=64, le=2048, description="Pixels of one side at most, in training.resolution.")
    ] = 1024
    max_class_images: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="Class images at most, in training.priorPreservation.numClassImages.",
        ),
    ] = 200
    max_attempts: Annotated[
        int,
        Field(
            ge=1,
            le=20,
            description="Attempts of one revision, the first included; after that many failures it is over.",
        ),
    ] = 3
    backoff_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3600,
            description="Seconds of waiting after the first failure, before the next attempt; doubled by each failure.",
        ),
    ] = 30
    queue_deadline_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=604800,
            description="Seconds an attempt may wait, from planning until a worker begins; "
            "a model may ask for less (spec.queueDeadlineSeconds).",
        ),
    ] = 21600
    active_deadline_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=86400,
            description="Seconds an attempt may take, from the moment that a worker begins; "
            "a model may ask for less (spec.activeDeadlineSeconds).",
        ),
    ] = 7200


class InferenceLimits(ApiModel):
    """The most that a request may ask for."""

    max_pictures: Annotated[
        int, Field(ge=1, le=MAX_PICTURES, description="Pictures of one request at most, of all its prompts.")
    ] = MAX_PICTURES
    max_steps: Annotated[int, Field(ge=1, le=150, description="Denoising steps of a picture at most.")] = 100
    max_pixels: Annotated[
        int,
        Field(ge=4096, le=4194304, description="Pixels of one picture at most: its width times its height."),
    ] = 1048576
    pictures_per_invocation: Annotated[
        int,
        Field(
            ge=1,
            le=16,
            description="Pictures that one invocation draws at most; it must end within SageMaker's 60 seconds.",
        ),
    ] = 4
    queue_deadline_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=604800,
            description="Seconds a request may wait, from its creation until drawing begins; "
            "a request may ask for less (spec.queueDeadlineSeconds).",
        ),
    ] = 3600
    active_deadline_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=86400,
            description="Seconds drawing may take, from its beginning; "
            "a request may ask for less (spec.activeDeadlineSeconds).",
        ),
    ] = 3600


class Limits(ApiModel):
    """The most that users may ask for."""

    photos: PhotoLimits = PhotoLimits()
    training: TrainingLimits = TrainingLimits()
    inference: InferenceLimits = InferenceLimits()
