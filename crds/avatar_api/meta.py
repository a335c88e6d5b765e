"""The parts of Kubernetes objects that all our kinds share: metadata, references, conditions.

Conditions follow metav1.Condition (kubernetes/community, api-conventions.md, "Typical status properties"): they are
the contract of a resource; the one-word `state` beside them is for columns and people only.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from avatar_api.open_words import Open
from avatar_api.schema_base import ApiModel, DecimalString, ResourceName, Timestamp

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(ApiModel):
    """One observed aspect of a resource, as metav1.Condition has it."""

    type: Annotated[
        str, Field(max_length=64, description="Which aspect: Ready, Reconciling, Stalled and so on.")
    ]
    status: Annotated[
        Open[ConditionStatus],
        Field(description="True or False; Unknown: it has not been found out, or is under way."),
    ]
    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            pattern=r"^[A-Za-z][A-Za-z0-9]*$",
            description="Why, in one CamelCase word that is stable across releases; docs/conditions.md explains each.",
        ),
    ]
    message: Annotated[str, Field(max_length=2048, description="Why, for a person, and how to mend it.")] = ""
    last_transition_time: Annotated[
        Timestamp, Field(description="When `status` became what it is, in UTC, to the second.")
    ]
    observed_generation: Annotated[
        int,
        Field(
            ge=0,
            description="The metadata.generation that this was said of; a lower one than the object's is out of date.",
            json_schema_extra={"format": "int64"},
        ),
    ]


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=16,
        description="How the object is, one aspect each. Programs read these, never `state`.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


class LocalObjectReference(ApiModel):
    """A reference by name; for namespaced kinds always within the referring object's own namespace."""

    name: Annotated[
        ResourceName,
        Field(
            description="The metadata.name of the object that is meant. It may be created later: it is waited for."
        ),
    ]


class Failure(ApiModel):
    """The last thing that went wrong, in terms a user can act on."""

    reason: Annotated[str, Field(max_length=128, description="One CamelCase word, stable across releases.")]
    message: Annotated[str, Field(max_length=2048, description="What happened and how to mend it.")]
    retryable: Annotated[bool, Field(description="True if the operator tries again by itself.")]
    time: Annotated[Timestamp, Field(description="When it was noticed first, in UTC, to the second.")]


class Cost(ApiModel):
    """An estimate in money, from the price list of the runtime: what the instances cost, nothing else."""

    amount: Annotated[DecimalString, Field(description="Money in `currency`: a decimal number.")]
    currency: Annotated[
        str, Field(max_length=3, description="Currency of the amount, as ISO 4217 has it: USD, EUR.")
    ]
    instance_type: Annotated[
        str, Field(max_length=64, description="What was paid for, such as ml.g5.xlarge.")
    ]


class ObjectMeta(ApiModel):
    """What we read of metadata.

    `resource_version` is opaque to everybody but the cache, which compares two versions of one object.
    """

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = Field(default_factory=dict)
    labels: Mapping[str, str] = Field(default_factory=dict)


class ObservedStatus(ApiModel):
    """What the status of every kind begins with."""

    observed_generation: Annotated[
        int,
        Field(
            ge=0,
            description="The metadata.generation that the operator looked at last; 0: it has not seen the object yet.",
            json_schema_extra={"format": "int64"},
        ),
    ] = 0
    conditions: Conditions = Field(default_factory=list)
