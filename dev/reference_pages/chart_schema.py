"""charts/avatar-operator/values.schema.json: what Helm refuses before it renders anything.

Strict at every level, so that a typing error is an error and not a value that nobody looks at. An umbrella chart hands down
`global`, and `enabled` if that is what its condition is called, so those two are let through.
"""

from __future__ import annotations

import json
from typing import Any

from avatar_operator.settings import OperatorSettings
from reference_pages.chart_values import SETTINGS_GROUP, ChartValues

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_OF_A_CHART = {
    # A port that nobody knows beforehand can be neither probed nor scraped.
    "httpPort": {"minimum": 1},
}
"""What the settings may say elsewhere, and not in a Pod."""


_A_VALUE_OF_ITS_OWN = "watchNamespaces"
"""The setting on which roles and policies depend, too."""


def chart_schema(values: ChartValues) -> str:
    """The file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated from values.yaml by `make generate`. Do not edit.",
        **_group(values, "", values.defaults),
    }
    schema["properties"]["enabled"] = {
        "type": "boolean",
        "description": "What an umbrella chart's condition may be called; looked at by nobody here.",
    }
    return json.dumps(schema, indent=2) + "\n"


def setting_name(field: str) -> str:
    """What a field of OperatorSettings is called among the values."""
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


def settings() -> dict[str, dict[str, Any]]:
    """The schema of each setting of the operator that is one of the values, by its name among them."""
    fields = OperatorSettings.model_json_schema()["properties"]
    named = {setting_name(name): field for name, field in fields.items()}
    return {name: field for name, field in named.items() if name != _A_VALUE_OF_ITS_OWN}


def _group(values: ChartValues, prefix: str, group: dict[str, Any]) -> dict[str, Any]:
    groups = [key for key in group if values.is_group(f"{prefix}{key}")]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _value(values, f"{prefix}{key}", value) for key, value in group.items()},
        # Null takes a default away: a value is empty then, but a group is missing where templates look into it.
        **({"required": groups} if groups else {}),
    }


def _value(values: ChartValues, path: str, default: Any) -> dict[str, Any]:
    comment = values.comments.get(path)
    described = {} if comment is None else {"description": comment.words, **comment.schema}
    if path == SETTINGS_GROUP:
        fields = {name: _setting(name, field) for name, field in settings().items()}
        return {"type": "object", "additionalProperties": False, "properties": fields} | described
    if values.is_group(path):
        return _group(values, f"{path}.", default) | described
    return {"type": _TYPES[type(default)]} | described


def _setting(name: str, field: dict[str, Any]) -> dict[str, Any]:
    kept = {key: field[key] for key in ("type", "description", "enum", "minimum", "maximum") if key in field}
    return kept | _OF_A_CHART.get(name, {})
