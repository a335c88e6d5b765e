"""AvatarRequest: "with that model, draw these prompts".

A request is immutable and runs once, like a Job: to draw again, create another. It reaches only models in its own
namespace. Pictures are named by prompt, number and seed, so that a request interrupted half-way is finished, never
repeated.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.deletion_policy import DeletionPolicy
from avatar_api.group import API_VERSION
from avatar_api.meta import Failure, LocalObjectReference, ObjectMeta, ObservedStatus
from avatar_api.schema_base import ApiModel, DecimalString, S3PrefixUri, Seed, Sha256
from avatar_api.validation_rules import rules

RequestState = Literal["Pending", "Running", "Succeeded", "Failed", "Deleting"]
SchedulerName = Literal["DDIM", "DPMSolverMultistep", "EulerDiscrete", "UniPCMultistep"]
MAX_PICTURES = 64


class Prompt(ApiModel):
    """One prompt and how many pictures of it."""

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    negative_prompt: Annotated[str, Field(max_length=2000)] | None = None
    seed: (
        Annotated[
            Seed,
            Field(
                description="Seed of the first picture; the next ones count on. Default: derived from the request."
            ),
        ]
        | None
    ) = None
    num_images: Annotated[int, Field(ge=1, le=16)] = 1


class RequestOutput(ApiModel):
    """Where the pictures go."""

    prefix: S3PrefixUri


class AvatarRequestSpec(ApiModel):
    """What is to be drawn. Immutable."""

    model_config = rules(
        ("self == oldSelf", "an AvatarRequest is immutable: create another one to draw again"),
        (
            f"self.prompts.map(p, p.numImages).sum() <= {MAX_PICTURES}",
            f"an AvatarRequest draws at most {MAX_PICTURES} pictures: split it into several requests",
        ),
        ("!has(self.guidance) || double(self.guidance) <= 50.0", "guidance must be at most 50"),
    )

    model_ref: LocalObjectReference
    prompts: Annotated[
        list[Prompt],
        Field(min_length=1, max_length=MAX_PICTURES, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ]
    steps: Annotated[int, Field(ge=1, le=150, description="Denoising steps.")] | None = None
    guidance: Annotated[DecimalString, Field(description="Classifier-free guidance scale.")] | None = None
    width: Annotated[int, Field(ge=64, le=2048, multiple_of=8, description="Pixels.")] | None = None
    height: Annotated[int, Field(ge=64, le=2048, multiple_of=8, description="Pixels.")] | None = None
    scheduler: SchedulerName | None = None
    output: RequestOutput | None = None
    deletion_policy: Annotated[
        DeletionPolicy, Field(description="Whether the pictures go when the AvatarRequest is deleted.")
    ] = "Delete"
    ttl_seconds_after_finished: (
        Annotated[
            int,
            Field(
                ge=0, le=31536000, description="Seconds after the end; then the AvatarRequest deletes itself."
            ),
        ]
        | None
    ) = None
    active_deadline_seconds: (
        Annotated[
            int,
            Field(
                ge=1, le=86400, description="Seconds the request may take, waiting for its model included."
            ),
        ]
        | None
    ) = None


class Picture(ApiModel):
    """One picture in S3."""

    uri: Annotated[str, Field(max_length=2048)]
    prompt_index: int
    image_index: int
    seed: Seed
    sha256: Sha256


class RequestTimings(ApiModel):
    """Where the time went, in seconds with three decimals."""

    queued: Annotated[DecimalString, Field(description="From creation to the first invocation.")] | None = (
        None
    )
    cold_load: (
        Annotated[DecimalString, Field(description="Waiting for the endpoint to load the model.")] | None
    ) = None
    generate: Annotated[DecimalString, Field(description="Drawing, as the worker measured it.")] | None = None


class AvatarRequestStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, ModelResolved, and Succeeded in sum."""

    state: (
        Annotated[RequestState, Field(description="One word for columns; the conditions are the contract.")]
        | None
    ) = None
    runtime_name: (
        Annotated[str, Field(max_length=63, description="The AvatarRuntime whose storage was used.")] | None
    ) = None
    storage_prefix: Annotated[str, Field(max_length=2048, description="Where the pictures go.")] | None = None
    images: Annotated[
        list[Picture],
        Field(max_length=MAX_PICTURES, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = Field(default_factory=list)
    timings: RequestTimings | None = None
    last_failure: Failure | None = None


class AvatarRequest(ApiModel):
    """A batch of pictures of one person."""

    api_version: str = API_VERSION
    kind: Literal["AvatarRequest"] = "AvatarRequest"
    metadata: ObjectMeta
    spec: AvatarRequestSpec
    status: AvatarRequestStatus = AvatarRequestStatus()
