"""CRDs as they were before they had rules: what was stored with them has to live on."""

from __future__ import annotations

from typing import Any

import yaml

from avatar_api.crd import Definition


def without_rules(definition: Definition) -> str:
    """A CRD that takes whatever has the right types, as YAML."""
    return yaml.safe_dump(_without_rules(definition.to_wire()))


def _without_rules(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            name: _without_rules(part) for name, part in schema.items() if name != "x-kubernetes-validations"
        }
    return [_without_rules(part) for part in schema] if isinstance(schema, list) else schema
