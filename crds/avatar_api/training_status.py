"""The part of an AvatarModel's status that is about the attempt at hand: its number, where the backend has it, how far it is.

It is what the operator goes on from after a crash, so it is written before the backend is asked for anything: an attempt
that is not recorded never began.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.meta import Cost
from avatar_api.schema_base import ApiModel, Timestamp


class TrainingProgress(ApiModel):
    """How far the running training is."""

    step: Annotated[int, Field(ge=0, description="Training steps that are done.")]
    total_steps: Annotated[int, Field(ge=0, description="Training steps that the attempt will have in all.")]
    percent: Annotated[int, Field(ge=0, le=100, description="Share of the steps that are done, in percent.")]
    estimated_remaining_seconds: (
        Annotated[int, Field(ge=0, description="Seconds until the end, as the worker estimates them.")] | None
    ) = None


class SageMakerAttempt(ApiModel):
    """Where SageMaker has the attempt: recorded, because the runtime's endpoint may be another one by then."""

    endpoint_name: (
        Annotated[str, Field(max_length=63, description="The asynchronous endpoint, by its name.")] | None
    ) = None
    output_location: Annotated[str, Field(max_length=2048, description="S3 URI of the result.")] | None = None
    failure_location: Annotated[str, Field(max_length=2048, description="S3 URI of the error.")] | None = None


class TrainingStatus(ApiModel):
    """The current attempt to train the current revision."""

    revision: Annotated[int, Field(description="The number of spec.revision that this is an attempt of.")]
    attempt: Annotated[
        int,
        Field(description="Number of the attempt: counts every attempt of this revision, from 1."),
    ]
    failures: Annotated[
        int,
        Field(
            description="Number of attempts of this revision that failed; each doubles the wait before the next."
        ),
    ] = 0
    abandoned: Annotated[
        int,
        Field(
            description="Number of attempts of this revision that were given up because their answers were lost."
        ),
    ] = 0
    inference_id: (
        Annotated[
            str, Field(max_length=64, description="Names the attempt to the backend, and in every log.")
        ]
        | None
    ) = None
    base_model: (
        Annotated[
            str,
            Field(
                max_length=1100, description="The base that the attempt trains on, as `<source>@<digest>`."
            ),
        ]
        | None
    ) = None
    steps: (
        Annotated[
            int,
            Field(
                ge=1,
                description="Training steps that the attempt was asked for: no worker is believed to have more.",
            ),
        ]
        | None
    ) = None
    sagemaker: SageMakerAttempt | None = None
    output_location: (
        Annotated[
            str,
            Field(
                max_length=2048, description="Former place of sagemaker.outputLocation; read, not written."
            ),
        ]
        | None
    ) = None
    failure_location: (
        Annotated[
            str,
            Field(
                max_length=2048, description="Former place of sagemaker.failureLocation; read, not written."
            ),
        ]
        | None
    ) = None
    planned_time: (
        Annotated[
            Timestamp, Field(description="When the attempt was planned; the queue deadline counts from here.")
        ]
        | None
    ) = None
    submitted_time: Annotated[Timestamp, Field(description="When the backend took the attempt.")] | None = (
        None
    )
    start_time: (
        Annotated[Timestamp, Field(description="When a worker began; the active deadline counts from here.")]
        | None
    ) = None
    completion_time: (
        Annotated[Timestamp, Field(description="When the attempt ended, good or bad.")] | None
    ) = None
    retry_time: (
        Annotated[Timestamp, Field(description="When the next attempt may start at the earliest.")] | None
    ) = None
    progress: TrainingProgress | None = None
    seconds: (
        Annotated[
            int,
            Field(
                description="Seconds the worker spent: by its own account, or until its failure was noticed."
            ),
        ]
        | None
    ) = None
    estimated_cost: (
        Annotated[Cost, Field(description="What `seconds` cost, by the runtime's price list.")] | None
    ) = None
    log_url: (
        Annotated[
            str,
            Field(
                max_length=2048,
                description="The page of the AWS console that has the logs of the training endpoint.",
            ),
        ]
        | None
    ) = None
