"""From pydantic's JSON Schema to the structural OpenAPI v3 schema that a CRD needs.

Kubernetes accepts a strict subset (Kubernetes documentation, "Specifying a structural schema"): no `$ref`, no
`anyOf` with types, no `const`, no `title`. The conversion is a pure function over plain dictionaries.
"""

from typing import Any

from pydantic import BaseModel

from avatar_api.field_facts import RANGE_OF_DECIMAL, with_facts

Schema = dict[str, Any]

_DROPPED_KEYWORDS = frozenset({"title", "$defs", RANGE_OF_DECIMAL})
_RULES = "x-kubernetes-validations"


class NotStructuralError(ValueError):
    """A type has no structural form; the message names where it stands."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a pydantic model, ready for `openAPIV3Schema`.

    Raises:
        NotStructuralError: a field's type cannot be said in a structural schema.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _convert(schema, definitions=schema.get("$defs", {}), path=model.__name__)


def _convert(schema: Schema, *, definitions: dict[str, Schema], path: str) -> Schema:
    schema = _without_indirection(schema, definitions=definitions, path=path)
    converted: Schema = {}
    for keyword, value in schema.items():
        match keyword:
            case _ if keyword in _DROPPED_KEYWORDS:
                continue
            case "pattern" if _RULES in schema:
                # `validation_rules.spelled` says the same with a sentence; beside it the regular expression would be shown as
                # well.
                continue
            case "additionalProperties":
                # A map has a schema of its values here, a model only says whether it takes what it does not know.
                if isinstance(value, dict):
                    converted["additionalProperties"] = _convert(
                        value, definitions=definitions, path=f"{path}{{}}"
                    )
            case "properties":
                converted["properties"] = {
                    name: _convert(child, definitions=definitions, path=f"{path}.{name}")
                    for name, child in value.items()
                }
            case "items":
                converted["items"] = _convert(value, definitions=definitions, path=f"{path}[]")
            case "const":
                converted["enum"] = [value]
            case "description":
                converted["description"] = with_facts(" ".join(value.split()), schema)
            case "default":
                # An absent field has no default, and an empty list need not be told from an absent one.
                if value is not None and value != []:
                    converted["default"] = _without_nulls(value)
            case _:
                converted[keyword] = value
    if "type" not in converted:
        raise NotStructuralError(f"{path}: a structural schema needs one type, this has {sorted(schema)}")
    return converted


def _without_nulls(value: Any) -> Any:
    """A default without its absent fields: Kubernetes refuses null where a type is asked for."""
    if isinstance(value, dict):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    return value


def _without_indirection(schema: Schema, *, definitions: dict[str, Schema], path: str) -> Schema:
    """Follow `$ref`, and take the one alternative of `X | None`; keywords at the outer place win."""
    while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
        schema = dict(schema)
        if "$ref" in schema:
            target = definitions[schema.pop("$ref").removeprefix("#/$defs/")]
        else:
            alternatives = schema.pop("anyOf", None) or schema.pop("allOf")
            concrete = [alternative for alternative in alternatives if alternative.get("type") != "null"]
            if len(concrete) != 1:
                raise NotStructuralError(f"{path}: a union of several types is not structural")
            target = concrete[0]
        schema = {**target, **schema}
    return schema
