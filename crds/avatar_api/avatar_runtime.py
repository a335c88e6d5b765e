"""AvatarRuntime: the platform team's side of the bargain. Cluster-scoped.

It says which base model is personalised, where things are stored, what a user gets by default and may ask for at
most, which namespaces may use it, and which backend does the work. Product teams only name it.

Objects live for months below what a runtime names, so where things are stored and in which region never changes: with
another place the operator would look for claims, artifacts and endpoints where they are not. Everything else may
change: base model, images, endpoint names, limits, prices.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.allowed_prefixes import OVERLAP, AllowedLocations
from avatar_api.group import API_VERSION
from avatar_api.meta import Cost, ObjectMeta, ObservedStatus
from avatar_api.open_words import Open
from avatar_api.runtime_backend import Backend
from avatar_api.runtime_limits import Defaults, Limits
from avatar_api.runtime_quotas import Quotas
from avatar_api.sagemaker_backend import InstanceType
from avatar_api.schema_base import ApiModel, S3HomeUri, S3PrefixUri, Sha256, Timestamp, decimal
from avatar_api.status_topic import OF_NOBODY_ELSE, StatusTopicArn
from avatar_api.tenancy import Tenancy
from avatar_api.validation_rules import rules, spelled, unchanged

ManagementPolicy = Literal["Manage", "Observe"]
OrphanPolicy = Literal["Report", "Delete"]
RuntimeState = Literal["Pending", "Provisioning", "Ready", "Failed", "Deleting"]
EndpointRole = Literal["Training", "Inference"]


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


class Storage(ApiModel):
    """Where the operator and the workers keep things. Keys below are `<namespace>/<uid>/...`."""

    model_config = rules(
        (
            unchanged("requests", "artifacts", "outputs"),
            "spec.storage.requests, artifacts and outputs are immutable, because stored data would not be found again:"
            " create another AvatarRuntime",
        ),
        OVERLAP,
    )

    requests: Annotated[
        S3HomeUri, Field(description="S3 prefix of training request documents, claims and outcomes.")
    ]
    artifacts: Annotated[
        S3HomeUri,
        Field(description="S3 prefix of the personal models, which the multi-model endpoint loads from."),
    ]
    outputs: Annotated[S3HomeUri, Field(description="S3 prefix of the pictures of requests that name none.")]
    allowed: AllowedLocations


class Notifications(ApiModel):
    """Where the operator announces what happens to users' objects."""

    status_topic_arn: (
        Annotated[
            StatusTopicArn,
            Field(
                description="SNS topic for CloudEvents 1.0 JSON. `{namespace}` in its name stands for that of the object; without"
                " it whoever is subscribed hears of every tenant. Absent: no CloudEvents."
            ),
        ]
        | None
    ) = None


class InstancePrice(ApiModel):
    """What one instance costs."""

    instance_type: Annotated[
        InstanceType, Field(description="An instance type of SageMaker, such as ml.g5.xlarge.")
    ]
    amount: Annotated[
        str,
        decimal("amount", example="1.408"),
        Field(description="Money for one hour of one instance, in `currency`: a decimal number in quotes."),
    ]


class Prices(ApiModel):
    """The price list that estimated costs are worked out from."""

    currency: Annotated[
        str,
        spelled(r"^[A-Z]{3}$", "currency is three capital letters, as ISO 4217 has them: USD", max_length=3),
        Field(description="Currency of the amounts: three capital letters, as ISO 4217 has them."),
    ] = "USD"
    per_hour: Annotated[
        list[InstancePrice],
        Field(
            max_length=64,
            description="Prices by instance type. A type that is not listed has AWS's public list price, if that is known.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["instanceType"],
            },
        ),
    ] = Field(default_factory=list)


class GarbageCollection(ApiModel):
    """What becomes of objects in S3 and of endpoints that carry the mark of this runtime and have no owner."""

    orphans: Annotated[
        OrphanPolicy,
        Field(description="Report: only say so, in the status and in metrics. Delete: remove them as well."),
    ] = "Report"
    grace_period_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=31536000,
            description="Seconds without an owner before something is an orphan.",
        ),
    ] = 86400


class AvatarRuntimeSpec(ApiModel):
    """What the platform team offers."""

    model_config = rules(
        (
            "has(self.backend.sagemaker) == has(oldSelf.backend.sagemaker)",
            "spec.backend cannot change its kind: create another AvatarRuntime",
        ),
        (
            "self.managementPolicy == 'Observe' || !has(self.backend.sagemaker) || ((has(self.backend.sagemaker.executionRoleARN)"
            " || (has(self.backend.sagemaker.training.executionRoleARN)"
            " && has(self.backend.sagemaker.inference.executionRoleARN)))"
            " && has(self.backend.sagemaker.training.image) && has(self.backend.sagemaker.inference.image))",
            "managementPolicy Manage needs spec.backend.sagemaker.executionRoleARN, or one of each endpoint, and an image for"
            " training and for inference",
        ),
        (
            "!has(self.quotas.maxWaitingPictures)"
            " || self.quotas.maxWaitingPictures >= self.limits.inference.maxPictures",
            "quotas.maxWaitingPictures must not be below limits.inference.maxPictures, because a request of that size"
            " would wait for ever",
        ),
        OF_NOBODY_ELSE,
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
    quotas: Quotas = Quotas()
    notifications: (
        Annotated[
            Notifications,
            Field(
                description="Where the operator announces what happens to users' objects. Absent: in Events alone."
            ),
        ]
        | None
    ) = None
    prices: (
        Annotated[
            Prices,
            Field(
                description="The price list that estimated costs are worked out from. Absent: AWS's public one."
            ),
        ]
        | None
    ) = None
    garbage_collection: GarbageCollection = GarbageCollection()


class EndpointStatus(ApiModel):
    """One endpoint, as last described."""

    role: Annotated[
        Open[EndpointRole], Field(description="What it is for: training models, or drawing with them.")
    ]
    name: Annotated[str, Field(max_length=63, description="The endpoint's name in SageMaker.")]
    state: Annotated[
        str,
        Field(
            max_length=64,
            description="The backend's own word for how it is, such as InService, Updating, Failed.",
        ),
    ]
    instances: Annotated[int, Field(ge=0, description="Instances that are in service.")] | None = None
    config_name: (
        Annotated[
            str, Field(max_length=63, description="The SageMaker endpoint configuration that it serves.")
        ]
        | None
    ) = None


class LeftBehind(ApiModel):
    """Data of an object that is gone, which could not be removed with it, or not be marked as staying: tried again until
    they are.
    """

    kind: Annotated[str, Field(max_length=63, description="Kind of the object.")]
    namespace: Annotated[str, Field(max_length=63, description="Namespace of the object.")] = ""
    name: Annotated[str, Field(max_length=253, description="Name of the object.")]
    uid: Annotated[
        str, Field(max_length=64, description="Uid of the object, which is in every key of its data.")
    ]
    locations: Annotated[
        list[Annotated[str, Field(max_length=2048)]],
        Field(
            max_length=20,
            description="S3 URIs and names of what is there, the first of them.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ]
    retained: Annotated[
        list[Annotated[str, Field(max_length=1024)]],
        Field(
            max_length=20,
            description="S3 URIs of what is to stay and is not marked so yet.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)
    since: Annotated[
        Timestamp,
        Field(
            description="From when on tries count, the first after five minutes: when the runtime took over, or ahead."
        ),
    ]
    may_grow_until: Annotated[
        Timestamp | None,
        Field(
            description="When the last worker that may still store something of it has ended: it is removed once more then."
        ),
    ] = None
    tries: Annotated[int, Field(ge=0, description="Number of tries since.")]


class Orphans(ApiModel):
    """What was found without an owner."""

    found: Annotated[int, Field(ge=0, description="Orphans at the last check.")]
    removed: Annotated[int, Field(ge=0, description="Orphans removed since the runtime was created.")]
    last_checked_time: Annotated[Timestamp, Field(description="When it was looked for last.")]


class AvatarRuntimeStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, EndpointsReady, NotificationsDelivered, and Ready in
    sum; Reconciling and Stalled as kstatus has them.
    """

    state: (
        Annotated[
            Open[RuntimeState], Field(description="One word for columns; the conditions are the contract.")
        ]
        | None
    ) = None
    endpoints: Annotated[
        list[EndpointStatus],
        Field(
            max_length=8,
            description="Those that serve, and those that the spec names no more until they are gone.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["role", "name"],
            },
        ),
    ] = Field(default_factory=list)
    left_behind: Annotated[
        list[LeftBehind],
        Field(
            max_length=100,
            description="What deleted objects left behind, one entry for each.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"]},
        ),
    ] = Field(default_factory=list)
    orphans: Orphans | None = None
    idle_seconds: (
        Annotated[
            int,
            Field(
                ge=0,
                description="Seconds of instances in service that did no work, since the runtime was created.",
                json_schema_extra={"format": "int64"},
            ),
        ]
        | None
    ) = None
    idle_cost: Annotated[Cost, Field(description="What `idleSeconds` cost, by the price list.")] | None = None


class AvatarRuntime(ApiModel):
    """What a platform team offers to product teams."""

    api_version: str = API_VERSION
    kind: Literal["AvatarRuntime"] = "AvatarRuntime"
    metadata: ObjectMeta
    spec: AvatarRuntimeSpec
    status: AvatarRuntimeStatus = AvatarRuntimeStatus()
