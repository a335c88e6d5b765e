"""AvatarRuntime: the platform team's side of the bargain. Cluster-scoped.

It says which base model is personalised, where things are stored, what a user gets by default and may ask for at
most, which namespaces may use it, and which backend does the work. Product teams only name it.

`backend` is a union with exactly one member. `sagemaker` drives AWS. `simulated` runs the whole control flow without
any worker or cloud account: for trying the API, for load tests, for a cluster without AWS.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.avatar_model import TrainingOptions
from avatar_api.avatar_request import MAX_PICTURES, SchedulerName
from avatar_api.group import API_VERSION
from avatar_api.meta import ObjectMeta, ObservedStatus
from avatar_api.schema_base import ApiModel, DecimalString, S3PrefixUri, Sha256
from avatar_api.validation_rules import exactly_one_of, rules

ManagementPolicy = Literal["Manage", "Observe"]
RuntimeState = Literal["Pending", "Provisioning", "Ready", "Failed", "Deleting"]
EndpointName = Annotated[str, Field(max_length=50, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]
InstanceType = Annotated[str, Field(max_length=64, pattern=r"^ml\.[a-z0-9\-]+\.[a-z0-9\-]+$")]
Arn = Annotated[str, Field(max_length=2048, pattern=r"^arn:aws[a-z\-]*:[a-z0-9\-]+:.+$")]


class BaseModelSource(ApiModel):
    """The diffusers pipeline that every personal model is trained on, pinned by its digest."""

    source: Annotated[
        S3PrefixUri, Field(description="S3 prefix of a diffusers pipeline directory, safetensors only.")
    ]
    revision: Annotated[str, Field(max_length=128, description="A label for people; the digest decides.")] = (
        "main"
    )
    sha256: Annotated[
        Sha256, Field(description="Digest of the directory, as `avatar-workers digest DIR` prints it.")
    ]


class AllowedLocations(ApiModel):
    """Prefixes that users may name. `{namespace}` in a prefix stands for the namespace of the object that asks."""

    photos: Annotated[
        list[Annotated[str, Field(max_length=1024, pattern=r"^s3://[^/]+/(.*/)?$")]],
        Field(min_length=1, max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ]
    outputs: Annotated[
        list[Annotated[str, Field(max_length=1024, pattern=r"^s3://[^/]+/(.*/)?$")]],
        Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = Field(default_factory=list)


class Storage(ApiModel):
    """Where the operator and the workers keep things. Keys below are `<namespace>/<uid>/...`."""

    requests: Annotated[S3PrefixUri, Field(description="Training request documents and claims.")]
    artifacts: Annotated[
        S3PrefixUri, Field(description="Personal models: the multi-model endpoint's prefix.")
    ]
    outputs: Annotated[S3PrefixUri, Field(description="Pictures of requests that name no output prefix.")]
    allowed: AllowedLocations


class InferenceDefaults(ApiModel):
    """What a request gets that does not say."""

    steps: Annotated[int, Field(ge=1, le=150)] = 25
    guidance: DecimalString = "7.5"
    width: Annotated[int, Field(ge=64, le=2048, multiple_of=8)] = 512
    height: Annotated[int, Field(ge=64, le=2048, multiple_of=8)] = 512
    scheduler: SchedulerName = "DDIM"


class Defaults(ApiModel):
    """What users get who do not say."""

    training: TrainingOptions = TrainingOptions()
    inference: InferenceDefaults = InferenceDefaults()


class PhotoLimits(ApiModel):
    """How many photos, and how big."""

    model_config = rules(("self.minCount <= self.maxCount", "minCount must not be above maxCount"))

    min_count: Annotated[int, Field(ge=1, le=100)] = 10
    max_count: Annotated[int, Field(ge=1, le=100)] = 15
    max_bytes: Annotated[int, Field(ge=1024, le=104857600, description="Bytes of one photo.")] = 20971520


class TrainingLimits(ApiModel):
    """The most that a training may ask for, and how failures are retried."""

    max_steps: Annotated[int, Field(ge=1, le=20000)] = 2000
    max_batch_size: Annotated[int, Field(ge=1, le=64)] = 8
    max_rank: Annotated[int, Field(ge=1, le=256)] = 64
    max_resolution: Annotated[int, Field(ge=64, le=2048)] = 1024
    max_class_images: Annotated[int, Field(ge=0, le=1000)] = 200
    max_attempts: Annotated[
        int, Field(ge=1, le=20, description="Attempts of one revision, the first included.")
    ] = 3
    backoff_seconds: Annotated[
        int, Field(ge=1, le=3600, description="Wait after the first failure; doubles with each.")
    ] = 30
    active_deadline_seconds: Annotated[int, Field(ge=60, le=86400)] = 7200


class InferenceLimits(ApiModel):
    """The most that a request may ask for."""

    max_pictures: Annotated[int, Field(ge=1, le=MAX_PICTURES)] = MAX_PICTURES
    max_steps: Annotated[int, Field(ge=1, le=150)] = 100
    max_pixels: Annotated[
        int, Field(ge=4096, le=4194304, description="Width times height of one picture.")
    ] = 1048576
    pictures_per_invocation: Annotated[
        int, Field(ge=1, le=16, description="An invocation must end within SageMaker's 60 seconds.")
    ] = 4
    active_deadline_seconds: Annotated[int, Field(ge=1, le=86400)] = 3600


class Limits(ApiModel):
    """The most that users may ask for."""

    photos: PhotoLimits = PhotoLimits()
    training: TrainingLimits = TrainingLimits()
    inference: InferenceLimits = InferenceLimits()


class Tenancy(ApiModel):
    """Who may use this runtime."""

    allowed_namespaces: Annotated[
        list[Annotated[str, Field(max_length=63, pattern=r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$")]],
        Field(
            min_length=1,
            max_length=1000,
            description='Names of namespaces, or "*" for all.',
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ]


class Notifications(ApiModel):
    """Where the operator announces what happens to users' objects."""

    status_topic_arn: Annotated[Arn, Field(description="SNS topic for CloudEvents 1.0 JSON.")] | None = None


class TrainingEndpoint(ApiModel):
    """The asynchronous endpoint that queues and runs trainings."""

    endpoint_name: EndpointName
    image: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    instance_type: InstanceType = "ml.g5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    invocation_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 3600
    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 600


class InferenceEndpoint(ApiModel):
    """The multi-model endpoint that loads personal models on demand."""

    endpoint_name: EndpointName
    image: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    instance_type: InstanceType = "ml.g5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=100)] = 1
    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 600


class SageMakerNotifications(ApiModel):
    """The topics that SageMaker publishes to, and the queue subscribed to both that the operator reads."""

    success_topic_arn: Arn
    error_topic_arn: Arn
    queue_url: Annotated[str, Field(max_length=1024, pattern=r"^https?://.+$")]


class SageMakerBackend(ApiModel):
    """Train on an asynchronous endpoint, draw on a multi-model endpoint."""

    region: Annotated[str, Field(max_length=32, pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
    execution_role_arn: Arn | None = None
    training: TrainingEndpoint
    inference: InferenceEndpoint
    notifications: SageMakerNotifications


class SimulatedBackend(ApiModel):
    """No worker, no cloud: trainings take a set time and end as told. Nothing is drawn and nothing is billed."""

    training_seconds: Annotated[int, Field(ge=0, le=86400)] = 10
    failure_percent: Annotated[
        int, Field(ge=0, le=100, description="Share of attempts that fail with a retryable error.")
    ] = 0


class Backend(ApiModel):
    """What does the work: exactly one member."""

    model_config = rules(exactly_one_of("sagemaker", "simulated"))

    sagemaker: SageMakerBackend | None = None
    simulated: SimulatedBackend | None = None


class AvatarRuntimeSpec(ApiModel):
    """What the platform team offers."""

    model_config = rules(
        (
            "has(self.backend.sagemaker) == has(oldSelf.backend.sagemaker)",
            "spec.backend cannot change its kind: create another AvatarRuntime",
        ),
        (
            "self.managementPolicy == 'Observe' || !has(self.backend.sagemaker) || (has(self.backend.sagemaker.executionRoleARN)"
            " && has(self.backend.sagemaker.training.image) && has(self.backend.sagemaker.inference.image))",
            "managementPolicy Manage needs spec.backend.sagemaker.executionRoleARN and an image for training and for inference",
        ),
    )

    management_policy: Annotated[
        ManagementPolicy,
        Field(
            description="Manage: the operator owns the endpoints. Observe: somebody else does, and we only use them."
        ),
    ] = "Manage"
    backend: Backend
    base_model: BaseModelSource
    storage: Storage
    tenancy: Tenancy
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    notifications: Notifications | None = None


class EndpointStatus(ApiModel):
    """One endpoint, as last described."""

    role: Literal["Training", "Inference"]
    name: Annotated[str, Field(max_length=63)]
    state: Annotated[str, Field(max_length=64)]
    instances: Annotated[int, Field(ge=0)] | None = None
    config_name: Annotated[str, Field(max_length=63)] | None = None


class AvatarRuntimeStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, EndpointsReady, and Ready in sum."""

    state: (
        Annotated[RuntimeState, Field(description="One word for columns; the conditions are the contract.")]
        | None
    ) = None
    endpoints: Annotated[
        list[EndpointStatus],
        Field(
            max_length=8,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["role"]},
        ),
    ] = Field(default_factory=list)


class AvatarRuntime(ApiModel):
    """What a platform team offers to product teams."""

    api_version: str = API_VERSION
    kind: Literal["AvatarRuntime"] = "AvatarRuntime"
    metadata: ObjectMeta
    spec: AvatarRuntimeSpec
    status: AvatarRuntimeStatus = AvatarRuntimeStatus()
