"""SageMaker as the backend of an AvatarRuntime: an asynchronous endpoint that trains, a multi-model endpoint that draws.

What AWS bounds (names, counts, time-outs) is bounded the same way here, so that a typo fails at admission and not at the first call.
"""

from typing import Annotated

from pydantic import Field

from avatar_api.schema_base import ApiModel
from avatar_api.validation_rules import rules, spelled

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
        description="Seconds after a change of the number before instances are taken away.",
    ),
]
ScaleOutCooldown = Annotated[
    int,
    Field(
        ge=0,
        le=3600,
        description="Seconds after a change of the number before instances are added.",
    ),
]
MaxInstances = Annotated[int, Field(ge=1, le=100, description="Instances at most.")]


class TrainingScaling(ApiModel):
    """As many instances as the queue needs, down to none: an idle GPU costs as much as a busy one."""

    model_config = rules(_COUNTS)

    min_instances: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Instances at least; with 0 the first training waits for one to start, and nothing is paid while "
            "nobody trains.",
        ),
    ] = 0
    max_instances: MaxInstances
    backlog_per_instance: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="Trainings, queued and running, that one instance is there for.",
        ),
    ] = 1
    scale_in_cooldown_seconds: ScaleInCooldown = 300
    scale_out_cooldown_seconds: ScaleOutCooldown = 60


class InferenceScaling(ApiModel):
    """As many instances as the traffic needs. One stays: a multi-model endpoint has no queue that could wait."""

    model_config = rules(_COUNTS)

    min_instances: Annotated[int, Field(ge=1, le=100, description="Instances at least.")] = 1
    max_instances: MaxInstances
    invocations_per_instance_per_minute: Annotated[
        int,
        Field(
            ge=1,
            le=10000,
            description="Invocations a minute that one instance is there for. An invocation draws up to "
            "limits.inference.picturesPerInvocation pictures.",
        ),
    ] = 6
    scale_in_cooldown_seconds: ScaleInCooldown = 300
    scale_out_cooldown_seconds: ScaleOutCooldown = 60


OwnRoleArn = (
    Annotated[
        Arn,
        Field(
            description="IAM role of this endpoint alone. Absent: spec.backend.sagemaker.executionRoleARN."
        ),
    ]
    | None
)


MachineType = Annotated[InstanceType, Field(description="What kind of machine SageMaker runs it on.")]
InstanceCount = Annotated[
    int,
    Field(
        ge=1,
        le=100,
        description="Instances of the endpoint. With `scaling` the number that it is created with.",
    ),
]
StartupTimeout = Annotated[
    int,
    Field(
        ge=60,
        le=3600,
        description="Seconds a container may take from its start until it answers SageMaker's ping.",
    ),
]


class TrainingEndpoint(ApiModel):
    """The asynchronous endpoint that queues and runs trainings."""

    endpoint_name: Annotated[
        EndpointName,
        Field(
            description="The asynchronous endpoint, by its name in SageMaker; a new name is another endpoint."
        ),
    ]
    execution_role_arn: OwnRoleArn = None
    image: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=255,
                description="The training image, by its name in a registry. managementPolicy Manage needs it. Absent: "
                "whoever made the endpoint chose it.",
            ),
        ]
        | None
    ) = None
    instance_type: MachineType = "ml.g5.xlarge"
    instance_count: InstanceCount = 1
    scaling: (
        Annotated[
            TrainingScaling,
            Field(
                description="How the number of instances follows the work; needs managementPolicy Manage. Absent: always "
                "instanceCount."
            ),
        ]
        | None
    ) = None
    invocation_timeout_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=3600,
            description="Seconds that SageMaker lets one training work; then it counts as failed.",
        ),
    ] = 3600
    startup_timeout_seconds: StartupTimeout = 600


class InferenceEndpoint(ApiModel):
    """The multi-model endpoint that loads personal models on demand."""

    endpoint_name: Annotated[
        EndpointName,
        Field(
            description="The multi-model endpoint, by its name in SageMaker; a new name is another endpoint."
        ),
    ]
    execution_role_arn: OwnRoleArn = None
    image: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=255,
                description="The serving image, by its name in a registry. managementPolicy Manage needs it. Absent: whoever "
                "made the endpoint chose it.",
            ),
        ]
        | None
    ) = None
    instance_type: MachineType = "ml.g5.xlarge"
    instance_count: InstanceCount = 1
    scaling: (
        Annotated[
            InferenceScaling,
            Field(
                description="How the number of instances follows the work; needs managementPolicy Manage. Absent: always "
                "instanceCount."
            ),
        ]
        | None
    ) = None
    startup_timeout_seconds: StartupTimeout = 600


class SageMakerNotifications(ApiModel):
    """The topics that SageMaker publishes to, and the queue subscribed to both that the operator reads."""

    success_topic_arn: Annotated[
        Arn, Field(description="SNS topic that the training endpoint tells of trainings that succeeded.")
    ]
    error_topic_arn: Annotated[
        Arn, Field(description="SNS topic that the training endpoint tells of trainings that failed.")
    ]
    queue_url: Annotated[
        str,
        Field(
            description="SQS queue that both topics are subscribed to and that workers write their progress to. Each "
            "installation has its own."
        ),
        spelled(
            r"^https?://.+$",
            "queueURL is the queue's URL: https://sqs.eu-central-1.amazonaws.com/123456789012/avatars",
            max_length=1024,
        ),
    ]


class SageMakerBackend(ApiModel):
    """Train on an asynchronous endpoint, draw on a multi-model endpoint."""

    region: Annotated[
        Region, Field(description="The AWS region of endpoints, topics and queue. It never changes.")
    ]
    execution_role_arn: (
        Annotated[
            Arn,
            Field(
                description="IAM role of each endpoint that names none of its own. managementPolicy Manage needs a role for "
                "each. Absent: each endpoint names one, or whoever made it chose it."
            ),
        ]
        | None
    ) = None
    attempt_role_arn: (
        Annotated[
            RoleArn,
            Field(
                description="IAM role: the operator assumes it anew for each piece of work, limited to the keys of that work, "
                "and hands the session to the worker. Absent: workers act with their endpoint's role for every tenant."
            ),
        ]
        | None
    ) = None
    training: TrainingEndpoint
    inference: InferenceEndpoint
    notifications: SageMakerNotifications
