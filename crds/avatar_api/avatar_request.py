"""AvatarRequest: "with that model, draw these prompts".

A request runs once, like a Job, and what it draws never changes: to draw again, create another. How long it is kept, and whether
its pictures stay, may change. It reaches only models in its own namespace, and draws every picture with the one artifact that it
found first. Pictures are named by prompt, number and seed, so that a request interrupted half-way is finished, never repeated.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.deletion_policy import DeletionPolicy
from avatar_api.group import API_VERSION
from avatar_api.meta import Cost, Failure, LocalObjectReference, ObjectMeta, ObservedStatus
from avatar_api.open_words import Open
from avatar_api.schema_base import (
    ApiModel,
    DecimalString,
    ResourceName,
    S3HomeUri,
    Seed,
    Sha256,
    Timestamp,
    decimal,
)
from avatar_api.validation_rules import rules, unchanged

RequestState = Literal["Pending", "Running", "Succeeded", "Failed", "Deleting"]
SchedulerName = Literal["DDIM", "DPMSolverMultistep", "EulerDiscrete", "UniPCMultistep"]
MAX_PICTURES = 64
IMMUTABLE_FIELDS = (
    "modelRef",
    "prompts",
    "steps",
    "guidance",
    "width",
    "height",
    "scheduler",
    "output",
    "queueDeadlineSeconds",
    "activeDeadlineSeconds",
)


class Prompt(ApiModel):
    """One prompt and how many pictures of it."""

    prompt: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2000,
            description="What to draw. The model's subject.token in it stands for the person.",
        ),
    ]
    negative_prompt: (
        Annotated[
            str, Field(max_length=2000, description="What the pictures should not show. Absent: nothing.")
        ]
        | None
    ) = None
    seed: (
        Annotated[
            Seed,
            Field(
                description="Number that the first picture's chance begins with; the next pictures count on. Absent: derived "
                "from the uid of the request."
            ),
        ]
        | None
    ) = None
    num_images: Annotated[
        int, Field(ge=1, le=16, description="Pictures of this prompt, each with a seed of its own.")
    ] = 1


class RequestOutput(ApiModel):
    """Where the pictures go."""

    prefix: Annotated[
        S3HomeUri,
        Field(
            description="S3 prefix below which the pictures go; storage.allowed.outputs of the runtime says which ones it "
            "may be."
        ),
    ]


class AvatarRequestSpec(ApiModel):
    """What is to be drawn. Immutable, but for deletionPolicy and ttlSecondsAfterFinished."""

    model_config = rules(
        (
            unchanged(*IMMUTABLE_FIELDS),
            "an AvatarRequest is immutable, but for deletionPolicy and ttlSecondsAfterFinished: create another one to draw again",
        ),
        (
            f"self.prompts.map(p, p.numImages).sum() <= {MAX_PICTURES}",
            f"an AvatarRequest draws at most {MAX_PICTURES} pictures: split it into several requests",
        ),
    )

    model_ref: Annotated[
        LocalObjectReference,
        Field(description="The AvatarModel to draw with, in the request's own namespace."),
    ]
    prompts: Annotated[
        list[Prompt],
        Field(
            min_length=1,
            max_length=MAX_PICTURES,
            description="What is to be drawn, one prompt after the other.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ]
    steps: (
        Annotated[
            int,
            Field(
                ge=1,
                le=150,
                description="Denoising steps of each picture: more are finer and take longer in proportion. Absent: as the "
                "runtime's defaults.inference.steps.",
            ),
        ]
        | None
    ) = None
    guidance: (
        Annotated[
            str,
            decimal("guidance", at_most=50, example="7.5"),
            Field(
                description="How closely pictures follow the prompt (classifier-free guidance scale): a decimal number in "
                'quotes, such as "7.5". Absent: as the runtime\'s defaults.inference.guidance.'
            ),
        ]
        | None
    ) = None
    width: (
        Annotated[
            int,
            Field(
                ge=64,
                le=2048,
                multiple_of=8,
                description="Width of each picture, in pixels. Absent: as the runtime's defaults.inference.width.",
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            int,
            Field(
                ge=64,
                le=2048,
                multiple_of=8,
                description="Height of each picture, in pixels. Absent: as the runtime's defaults.inference.height.",
            ),
        ]
        | None
    ) = None
    scheduler: (
        Annotated[
            SchedulerName,
            Field(
                description="The method of denoising, by its name in diffusers. Absent: as the runtime's "
                "defaults.inference.scheduler."
            ),
        ]
        | None
    ) = None
    output: (
        Annotated[
            RequestOutput,
            Field(description="Where the pictures go. Absent: below storage.outputs of the runtime."),
        ]
        | None
    ) = None
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(
            description="What becomes of the pictures when the AvatarRequest is deleted. Delete: they go with it. Retain: "
            "they stay."
        ),
    ] = "Delete"
    ttl_seconds_after_finished: (
        Annotated[
            int,
            Field(
                ge=0,
                le=31536000,
                description="Seconds after the end, then the AvatarRequest deletes itself; 0: at once. Absent: never.",
            ),
        ]
        | None
    ) = None
    queue_deadline_seconds: (
        Annotated[
            int,
            Field(
                ge=1,
                le=604800,
                description="Seconds the request may wait, from its creation until drawing begins. "
                "Default, and at most: limits.inference.queueDeadlineSeconds of the runtime.",
            ),
        ]
        | None
    ) = None
    active_deadline_seconds: (
        Annotated[
            int,
            Field(
                ge=1,
                le=86400,
                description="Seconds drawing may take, from its beginning; waiting does not count. "
                "Default, and at most: limits.inference.activeDeadlineSeconds of the runtime.",
            ),
        ]
        | None
    ) = None


class Picture(ApiModel):
    """One picture in S3."""

    uri: Annotated[str, Field(max_length=2048, description="S3 URI of the picture.")]
    prompt_index: Annotated[int, Field(description="Number of its prompt in spec.prompts, from 0.")]
    image_index: Annotated[int, Field(description="Number of the picture among those of its prompt, from 0.")]
    seed: Annotated[Seed, Field(description="Number that its chance began with.")]
    sha256: Annotated[Sha256, Field(description="SHA-256 digest of the picture, in hexadecimal digits.")]


class RequestTimings(ApiModel):
    """Where the time went, in seconds with three decimals."""

    queued: (
        Annotated[DecimalString, Field(description="Seconds from creation to the first invocation.")] | None
    ) = None
    cold_load: (
        Annotated[DecimalString, Field(description="Seconds of waiting for the endpoint to load the model.")]
        | None
    ) = None
    generate: (
        Annotated[DecimalString, Field(description="Seconds of drawing, as the worker measured them.")] | None
    ) = None


class ResolvedModel(ApiModel):
    """The one artifact that every picture of the request is drawn with, recorded before the first of them."""

    name: Annotated[ResourceName, Field(description="The AvatarModel's name.")]
    uid: Annotated[
        str,
        Field(
            max_length=64,
            description="The AvatarModel's uid: a model created anew under the name is another.",
        ),
    ]
    revision: Annotated[
        int, Field(description="The number of the model's spec.revision that the artifact was trained for.")
    ]
    target_model: Annotated[
        str, Field(max_length=1024, description="Key below the multi-model endpoint's prefix.")
    ]
    uri: Annotated[str, Field(max_length=1024, description="S3 URI of the artifact.")]
    sha256: Annotated[Sha256, Field(description="SHA-256 digest of the artifact, in hexadecimal digits.")]
    weights_sha256: (
        Annotated[
            Sha256,
            Field(description="Digest of the weights inside: the endpoint draws with these, or not at all."),
        ]
        | None
    ) = None


class RequestWarning(ApiModel):
    """Something that is likely to be a mistake and does not stop the request."""

    reason: Annotated[str, Field(max_length=128, description="One CamelCase word, stable across releases.")]
    message: Annotated[str, Field(max_length=1024, description="What is odd and how to mend it.")]


class AvatarRequestStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, ModelResolved, and Succeeded and Ready in sum;
    Reconciling and Stalled as kstatus has them.
    """

    state: (
        Annotated[
            Open[RequestState], Field(description="One word for columns; the conditions are the contract.")
        ]
        | None
    ) = None
    runtime_name: (
        Annotated[str, Field(max_length=63, description="The AvatarRuntime whose storage was used.")] | None
    ) = None
    storage_prefix: (
        Annotated[str, Field(max_length=2048, description="S3 prefix below which the pictures go.")] | None
    ) = None
    model: ResolvedModel | None = None
    start_time: (
        Annotated[Timestamp, Field(description="When drawing began; the active deadline counts from here.")]
        | None
    ) = None
    images: Annotated[
        list[Picture],
        Field(
            max_length=MAX_PICTURES,
            description="The pictures that are stored, in the order of the prompts.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)
    timings: RequestTimings | None = None
    estimated_cost: (
        Annotated[Cost, Field(description="What the seconds of drawing cost, by the runtime's price list.")]
        | None
    ) = None
    warnings: Annotated[
        list[RequestWarning],
        Field(
            max_length=16,
            description="What is likely to be a mistake and stops nothing.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)
    retained_time: (
        Annotated[
            Timestamp,
            Field(
                description="With deletionPolicy Retain: since then a mark beside the pictures says that they are to stay."
            ),
        ]
        | None
    ) = None
    last_failure: Failure | None = None


class AvatarRequest(ApiModel):
    """A batch of pictures of one person."""

    api_version: str = API_VERSION
    kind: Literal["AvatarRequest"] = "AvatarRequest"
    metadata: ObjectMeta
    spec: AvatarRequestSpec
    status: AvatarRequestStatus = AvatarRequestStatus()
