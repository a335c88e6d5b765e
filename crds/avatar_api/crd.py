"""The three CustomResourceDefinitions, as data.

Everything that is not a field lives here: printer columns, selectable fields, short names, the status subresource.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from avatar_api.avatar_model import AvatarModelSpec, AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestSpec, AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntimeSpec, AvatarRuntimeStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, CATEGORY, GROUP, VERSION, Kind
from avatar_api.object_rules import FIXED_ONCE_PLANNED, FIXED_ONCE_STORED, REFERABLE_NAME, Rule
from avatar_api.structural_schema import structural_schema


@dataclass(frozen=True)
class Column:
    """One column of `kubectl get`; `wide` ones show with `-o wide` only."""

    name: str
    json_path: str
    type: str = "string"
    description: str = ""
    wide: bool = False

    def to_wire(self) -> dict[str, Any]:
        """The column as additionalPrinterColumns has it."""
        wire: dict[str, Any] = {"name": self.name, "type": self.type, "jsonPath": self.json_path}
        if self.description:
            wire["description"] = self.description
        if self.wide:
            wire["priority"] = 1
        return wire


@dataclass(frozen=True)
class Definition:
    """What makes one CRD: its types and how it shows itself."""

    kind: Kind
    description: str
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[Column, ...]
    selectable_fields: tuple[str, ...]
    rules: tuple[Rule, ...] = ()

    def file_name(self) -> str:
        """Name of the generated file, as controller-gen would choose it."""
        return f"{GROUP}_{self.kind.plural}.yaml"

    def to_wire(self) -> dict[str, Any]:
        """The CustomResourceDefinition."""
        schema: dict[str, Any] = {
            "type": "object",
            "description": self.description,
            "required": ["spec"],
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
                "spec": structural_schema(self.spec),
                "status": structural_schema(self.status),
            },
        }
        if self.rules:
            schema["x-kubernetes-validations"] = list(self.rules)
        version = {
            "name": VERSION,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
            "additionalPrinterColumns": [column.to_wire() for column in self.columns],
            "selectableFields": [{"jsonPath": path} for path in self.selectable_fields],
        }
        names = {
            "kind": self.kind.kind,
            "listKind": f"{self.kind.kind}List",
            "plural": self.kind.plural,
            "singular": self.kind.singular,
            "shortNames": [self.kind.short_name],
            "categories": [CATEGORY],
        }
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{self.kind.plural}.{GROUP}"},
            "spec": {
                "group": GROUP,
                "names": names,
                "scope": "Namespaced" if self.kind.namespaced else "Cluster",
                "versions": [version],
            },
        }


def _condition(condition_type: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{condition_type}")].{field}'


def _cost(path: str, name: str = "Cost") -> Column:
    return Column(
        name, f"{path}.amount", description="Estimated, in the currency of the runtime's prices.", wide=True
    )


_AGE = Column("Age", ".metadata.creationTimestamp", type="date")

DEFINITIONS = (
    Definition(
        kind=AVATAR_MODEL,
        description="A personal model of one person: a Stable Diffusion model fine-tuned on 10 to 15 photos.",
        spec=AvatarModelSpec,
        status=AvatarModelStatus,
        columns=(
            Column("State", ".status.state"),
            Column("Ready", _condition("Ready", "status")),
            Column(
                "Progress",
                ".status.training.progress.percent",
                type="integer",
                description="Percent of the steps.",
            ),
            Column("Reason", _condition("Ready", "reason")),
            Column("Runtime", ".spec.runtimeRef.name", wide=True),
            Column("Revision", ".spec.revision", type="integer", wide=True),
            Column("Artifact", ".status.artifact.targetModel", wide=True),
            _cost(".status.training.estimatedCost"),
            Column("Message", _condition("Ready", "message"), wide=True),
            _AGE,
        ),
        selectable_fields=(".spec.runtimeRef.name", ".status.state"),
        rules=(REFERABLE_NAME, FIXED_ONCE_PLANNED, FIXED_ONCE_STORED),
    ),
    Definition(
        kind=AVATAR_REQUEST,
        description="A batch of pictures of one person, drawn with that person's AvatarModel.",
        spec=AvatarRequestSpec,
        status=AvatarRequestStatus,
        columns=(
            Column("State", ".status.state"),
            Column("Succeeded", _condition("Succeeded", "status")),
            Column("Model", ".spec.modelRef.name"),
            Column("Reason", _condition("Succeeded", "reason")),
            _cost(".status.estimatedCost"),
            Column("Message", _condition("Succeeded", "message"), wide=True),
            _AGE,
        ),
        selectable_fields=(".spec.modelRef.name", ".status.state"),
    ),
    Definition(
        kind=AVATAR_RUNTIME,
        description="What a platform team offers: base model, backend, storage, defaults, limits and tenants.",
        spec=AvatarRuntimeSpec,
        status=AvatarRuntimeStatus,
        columns=(
            Column("State", ".status.state"),
            Column("Ready", _condition("Ready", "status")),
            Column("Policy", ".spec.managementPolicy"),
            Column("Reason", _condition("Ready", "reason")),
            _cost(".status.idleCost", name="Idle cost"),
            Column("Message", _condition("Ready", "message"), wide=True),
            _AGE,
        ),
        selectable_fields=(".status.state",),
        rules=(REFERABLE_NAME,),
    ),
)
