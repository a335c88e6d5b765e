"""What does the work of an AvatarRuntime: a union with exactly one member.

`sagemaker` drives AWS. `simulated` runs the whole control flow without any worker or cloud account: for trying the
API, for load tests, for a cluster without AWS.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.schema_base import ApiModel
from avatar_api.validation_rules import exactly_one_of, rules, spelled

EndpointName = Annotated[
    str,
    spelled(
        r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        "endpointName is letters, digits and dashes, with a letter or a digit at both ends: avatar-training",
        max_length=50,
    ),
]
InstanceType = Annotated[
    str,
    spelled(
        r"^ml\.[a-z0-9\-]+\.[a-z0-9\-]+$",
        "instanceType is one of SageMaker's, which begin with ml.: ml.g5.xlarge",
        max_length=64,
    ),
]
ARN_PATTERN = r"^arn:aws[a-z\-]*:[a-z0-9\-]+:.+$"
ARN_SENTENCE = "an ARN begins with arn:aws: and names what it stands for in full: arn:aws:sns:eu-central-1:123456789012:avatars"
Arn = Annotated[str, spelled(ARN_PATTERN, ARN_SENTENCE, max_length=2048)]
RoleArn = Annotated[
    str,
    spelled(
        r"^arn:aws[a-z\-]*:iam::[0-9]{12}:role/.+$",
        "attemptRoleARN is the ARN of an IAM role: arn:aws:iam::123456789012:role/avatars-attempt",
        max_length=2048,
    ),
]
Region = Annotated[
    str,
    spelled(
        r"^[a-z]{2}(-[a-z]+)+-[0-9]$",
        "region is the code of an AWS region: eu-central-1",
        ("self == oldSelf", "spec.backend.sagemaker.region is immutable: create another AvatarRuntime"),
        max_length=32,
    ),
]


_COUNTS = ("self.minInstances <= self.maxInstances", "minInstances must not be above maxInstances")

ScaleInCooldown = Annotated[
    int,
    Field(
        ge=0,
        le=3600,
        description="Seconds after a change of the number before instances are taken away: 0 to 3600, default 300.",
    ),
]
ScaleOutCooldown = Annotated[
    int,
    Field(
        ge=0,
        le=3600,
        description="Seconds after a change of the number before instances are added: 0 to 3600, default 60.",
    ),
]
MaxInstances = Annotated[int, Field(ge=1, le=100, description="Instances at most: 1 to 100.")]


class TrainingScaling(ApiModel):
    """As many instances as the queue needs, down to none: an idle GPU costs as much as a busy one."""

    model_config = rules(_COUNTS)

    min_instances: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Instances at least: 0 to 100, default 0, with which the first training waits for one.",
        ),
    ] = 0
    max_instances: MaxInstances
    backlog_per_instance: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Trainings, queued and running, that one instance is there for: 1 to 1000, default 1.",
        ),
    ] = 1
    scale_in_cooldown_seconds: ScaleInCooldown = 300
    scale_out_cooldown_seconds: ScaleOutCooldown = 60


class InferenceScaling(ApiModel):
    """As many instances as the traffic needs. One stays: a multi-model endpoint has no queue that could wait."""

    model_config = rules(_COUNTS)

    min_instances: Annotated[
        int, Field(ge=1, le=100, description="Instances at least: 1 to 100, default 1.")
    ] = 1
    max_instances: MaxInstances
    invocations_per_instance_per_minute: Annotated[
        int,
        Field(
            ge=1,
            le=10000,
            description="Invocations a minute that one instance is there for: 1 to 10000, default 6. An invocation draws up to "
            "limits.inference.picturesPerInvocation pictures.",
        ),
    ] = 6
    scale_in_cooldown_seconds: ScaleInCooldown = 300
    scale_out_cooldown_seconds: ScaleOutCooldown = 60


class TrainingEndpoint(ApiModel):
    """The asynchronous endpoint that queues and runs trainings."""

    endpoint_name: EndpointName
    image: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    instance_type: InstanceType = "ml.g5.xlarge"
    instance_count: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Instances: 1 to 100, default 1. With `scaling` the number that the endpoint is created with.",
        ),
    ] = 1
    scaling: (
        Annotated[
            TrainingScaling,
            Field(description="Absent: always instanceCount. Needs managementPolicy Manage."),
        ]
        | None
    ) = None
    invocation_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 3600
    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 600


class InferenceEndpoint(ApiModel):
    """The multi-model endpoint that loads personal models on demand."""

    endpoint_name: EndpointName
    image: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    instance_type: InstanceType = "ml.g5.xlarge"
    instance_count: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Instances: 1 to 100, default 1. With `scaling` the number that the endpoint is created with.",
        ),
    ] = 1
    scaling: (
        Annotated[
            InferenceScaling,
            Field(description="Absent: always instanceCount. Needs managementPolicy Manage."),
        ]
        | None
    ) = None
    startup_timeout_seconds: Annotated[int, Field(ge=60, le=3600)] = 600


class SageMakerNotifications(ApiModel):
    """The topics that SageMaker publishes to, and the queue subscribed to both that the operator reads."""

    success_topic_arn: Arn
    error_topic_arn: Arn
    queue_url: Annotated[
        str,
        spelled(
            r"^https?://.+$",
            "queueURL is the queue's URL: https://sqs.eu-central-1.amazonaws.com/123456789012/avatars",
            max_length=1024,
        ),
    ]


class SageMakerBackend(ApiModel):
    """Train on an asynchronous endpoint, draw on a multi-model endpoint."""

    region: Region
    execution_role_arn: Arn | None = None
    attempt_role_arn: (
        Annotated[
            RoleArn,
            Field(
                description="The operator assumes it anew for each piece of work, limited to the keys of that work, and hands the "
                "session to the worker. Absent: workers act with executionRoleARN for every tenant."
            ),
        ]
        | None
    ) = None
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
