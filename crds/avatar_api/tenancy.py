"""Who may use an AvatarRuntime: namespaces by name, by label, or both.

The selector is metav1.LabelSelector to the letter, so that what is known of NetworkPolicies holds here too: both
parts must fit, an empty selector fits every namespace.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from avatar_api.schema_base import ApiModel
from avatar_api.validation_rules import rules, spelled, validations

SelectorOperator = Literal["In", "NotIn", "Exists", "DoesNotExist"]
_LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
_LABEL_KEY_SENTENCE = "a label's key is letters, digits, dashes, dots and underscores, after a domain and a slash or without: example.com/team"
LabelValue = Annotated[
    str,
    spelled(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
        "a label's value is at most 63 letters, digits, dashes, dots and underscores: team-a",
        max_length=63,
    ),
]
NamespaceName = Annotated[
    str,
    spelled(
        r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$",
        'name a namespace, or write "*" for all; namespaceSelector chooses by label',
        max_length=63,
    ),
]


class LabelRequirement(ApiModel):
    """One line of a selector, as metav1.LabelSelectorRequirement has it."""

    model_config = rules(
        (
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "operator In and NotIn need values, Exists and DoesNotExist take none",
        )
    )

    key: Annotated[
        str,
        spelled(_LABEL_KEY, _LABEL_KEY_SENTENCE, min_length=1, max_length=316),
        Field(description="A label's key."),
    ]
    operator: Annotated[
        SelectorOperator,
        Field(
            description="In, NotIn: the label's value is, or is not, one of `values`. Exists, DoesNotExist: it has the "
            "label, or has not."
        ),
    ]
    values: Annotated[
        list[LabelValue],
        Field(
            max_length=32,
            description="The values meant by In and NotIn, which need at least one; the others take none.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)


class NamespaceSelector(ApiModel):
    """Chooses namespaces by their labels, as metav1.LabelSelector does: every part must fit, an empty selector fits all."""

    match_labels: Annotated[
        Mapping[str, LabelValue],
        Field(
            max_length=16,
            description="Labels that the namespace has, all of them.",
            json_schema_extra=validations(
                (f"self.all(key, key.matches(r'{_LABEL_KEY}'))", _LABEL_KEY_SENTENCE)
            ),
        ),
    ] = Field(default_factory=dict)
    match_expressions: Annotated[
        list[LabelRequirement],
        Field(
            max_length=16,
            description="Requirements that all hold.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = Field(default_factory=list)


class Tenancy(ApiModel):
    """Who may use this runtime: a namespace that is named, or that the selector chooses."""

    model_config = rules(
        (
            "has(self.allowedNamespaces) || has(self.namespaceSelector)",
            "say who may use the runtime: set allowedNamespaces, namespaceSelector or both",
        )
    )

    allowed_namespaces: Annotated[
        list[NamespaceName],
        Field(
            min_length=1,
            max_length=1000,
            description='Names of namespaces, or "*" for all.',
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = Field(default_factory=list)
    namespace_selector: (
        Annotated[
            NamespaceSelector,
            Field(
                description="Chooses namespaces by their labels, as metav1.LabelSelector does: every part must fit, an empty "
                "selector fits all. Absent: it chooses none."
            ),
        ]
        | None
    ) = None
