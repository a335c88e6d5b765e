"""AvatarModel: "fine-tune a Stable Diffusion model on these photos of one person".

What a user asks for stands in the spec; everything a platform team decides (base model, defaults, limits, where
things are stored) stands in the AvatarRuntime that `runtimeRef` names. Once the first attempt of a revision is planned
its inputs are fixed: another value of `spec.revision` is the one way to train again, so that an edit never costs
money by accident. Until then a typo may be mended. `avatar_api.object_rules` says so to the API server.
"""

from typing import Annotated, Literal

from pydantic import Field

from avatar_api.deletion_policy import DeletionPolicy
from avatar_api.group import API_VERSION
from avatar_api.meta import Failure, LocalObjectReference, ObjectMeta, ObservedStatus
from avatar_api.open_words import Open
from avatar_api.schema_base import ApiModel, S3ObjectUri, S3PrefixUri, Sha256, Timestamp
from avatar_api.training_options import TrainingOptions
from avatar_api.training_status import TrainingStatus
from avatar_api.validation_rules import exactly_one_of, rules, spelled

ModelState = Literal[
    "Pending", "Queued", "Preparing", "Training", "Packaging", "Ready", "Failed", "Suspended", "Deleting"
]


class PhotoObject(ApiModel):
    """One photo in S3."""

    uri: Annotated[S3ObjectUri, Field(description="Where the photo lies: s3://bucket/photos/ann/01.jpg.")]
    version_id: (
        Annotated[
            str,
            Field(
                max_length=1024,
                description="The version of the S3 object, in a bucket with versions. Absent: the one that is current when the "
                "attempt is planned.",
            ),
        ]
        | None
    ) = None


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
                description="The photos, one by one, each named once.",
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uri"]},
            ),
        ]
        | None
    ) = None


class Subject(ApiModel):
    """How prompts speak of the person: "a photo of <token> <classNoun>"."""

    class_noun: Annotated[
        str,
        spelled(
            r"^[a-z][a-z ]*$", "classNoun is lowercase letters and spaces: person, old man", max_length=32
        ),
        Field(description="What the person is, in a prompt."),
    ] = "person"
    token: Annotated[
        str,
        spelled(r"^[a-z0-9]{2,16}$", "token is 2 to 16 lowercase letters and digits: sks", max_length=16),
        Field(description="A rare word that stands for this person in prompts."),
    ] = "sks"  # noqa: S105  # a word in prompts, not a secret


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
        ("self.revision >= oldSelf.revision", "spec.revision only grows"),
    )

    runtime_ref: Annotated[
        LocalObjectReference,
        Field(
            description="The AvatarRuntime that trains the model and keeps it; it has defaults and limits."
        ),
    ]
    photos: Photos
    subject: Subject = Subject()
    training: TrainingOptions = TrainingOptions()
    revision: Annotated[
        int,
        Field(
            ge=1,
            le=1000000,
            description="Which training is wanted, counted by you: raise it to train again. It never falls.",
        ),
    ] = 1
    suspend: Annotated[
        bool, Field(description="While true, no training starts. One that runs is not stopped.")
    ] = False
    queue_deadline_seconds: (
        Annotated[
            int,
            Field(
                ge=60,
                le=604800,
                description="Seconds an attempt may wait, from planning until a worker begins. "
                "Default, and at most: limits.training.queueDeadlineSeconds of the runtime.",
            ),
        ]
        | None
    ) = None
    active_deadline_seconds: (
        Annotated[
            int,
            Field(
                ge=60,
                le=86400,
                description="Seconds an attempt may take, from the moment that a worker begins; waiting does not count. "
                "Default, and at most: limits.training.activeDeadlineSeconds of the runtime.",
            ),
        ]
        | None
    ) = None
    retention: (
        Annotated[Retention, Field(description="How long the finished model is kept. Absent: for ever.")]
        | None
    ) = None
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(
            description="What becomes of the artifacts when the AvatarModel is deleted. Delete: they go with it. Retain: "
            "they stay."
        ),
    ] = "Delete"


class RejectedPhoto(ApiModel):
    """A photo that was not used, and why."""

    key: Annotated[str, Field(max_length=1024, description="The photo's key in its bucket.")]
    reason: Annotated[
        str,
        Field(max_length=256, description="Why it was not used: a CamelCase word, a colon, and a sentence."),
    ]


class PhotosStatus(ApiModel):
    """What photo preparation said of the photos."""

    accepted: Annotated[int, Field(description="Number of photos that were trained on.")]
    rejected: Annotated[
        list[RejectedPhoto],
        Field(
            max_length=100,
            description="The photos that were not used.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)


class ArtifactStatus(ApiModel):
    """The verified, immutable artifact that the multi-model endpoint loads."""

    uri: Annotated[str, Field(max_length=1024, description="S3 URI of the artifact.")]
    target_model: Annotated[
        str, Field(max_length=1024, description="Key below the multi-model endpoint's prefix.")
    ]
    sha256: Annotated[Sha256, Field(description="SHA-256 digest of the artifact, in hexadecimal digits.")]
    weights_sha256: (
        Annotated[
            Sha256,
            Field(description="Digest of the weights inside: the endpoint draws with these, or not at all."),
        ]
        | None
    ) = None
    size_bytes: Annotated[
        int,
        Field(ge=0, description="Size of the artifact, in bytes.", json_schema_extra={"format": "int64"}),
    ]
    base_model: Annotated[
        str,
        Field(
            max_length=1100,
            description="The base that it was trained on, as `<source>@<digest>`; it can be drawn with on no other.",
        ),
    ]
    revision: Annotated[int, Field(description="The number of spec.revision that it was trained for.")]


MAX_FORMER_STORAGES = 3


class FormerStorage(ApiModel):
    """Where some of the model's data lie that are older than its runtime."""

    requests: Annotated[str, Field(max_length=1024, description="The storage.requests of a former runtime.")]
    artifacts: Annotated[
        str, Field(max_length=1024, description="The storage.artifacts of a former runtime.")
    ]


class ModelStorage(ApiModel):
    """Where the model's data lie: recorded when an attempt is planned, so that they are found again whatever becomes of the
    runtime.
    """

    runtime_name: Annotated[str, Field(max_length=63, description="The AvatarRuntime whose storage is used.")]
    runtime_uid: Annotated[
        str, Field(max_length=64, description="Its uid: a runtime created anew under the name is another.")
    ]
    requests: Annotated[str, Field(max_length=1024, description="The runtime's storage.requests.")]
    artifacts: Annotated[str, Field(max_length=1024, description="The runtime's storage.artifacts.")]
    former: Annotated[
        list[FormerStorage],
        Field(
            max_length=MAX_FORMER_STORAGES,
            description="Where earlier attempts have stored things, if the runtime was created anew with other storage since.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)


class AvatarModelStatus(ObservedStatus):
    """What has been observed. `conditions` is the contract: Accepted, Trained, Hosted, and Ready in sum; Reconciling and
    Stalled as kstatus has them.
    """

    state: (
        Annotated[
            Open[ModelState], Field(description="One word for columns; the conditions are the contract.")
        ]
        | None
    ) = None
    storage: ModelStorage | None = None
    training: TrainingStatus | None = None
    photos: PhotosStatus | None = None
    artifact: ArtifactStatus | None = None
    retained_time: (
        Annotated[
            Timestamp,
            Field(
                description="With deletionPolicy Retain: since then a mark beside the artifacts says that they are to stay."
            ),
        ]
        | None
    ) = None
    last_failure: Failure | None = None


class AvatarModel(ApiModel):
    """A personal model of one person."""

    api_version: str = API_VERSION
    kind: Literal["AvatarModel"] = "AvatarModel"
    metadata: ObjectMeta
    spec: AvatarModelSpec
    status: AvatarModelStatus = AvatarModelStatus()
