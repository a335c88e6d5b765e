"""JSON schemas for kubeconform out of what an API server publishes itself, our kinds included.

kubeconform's own place for schemas is on the internet and knows no kind of ours. Here every object of `/openapi/v3` becomes one
file: references are put in their places, a field that is not there is an error, and what may be a number or a string is either.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_cluster.access import Cluster

LOCATION = (
    "{{ if .Group }}{{ .Group }}{{ else }}core{{ end }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"
)
"""How kubeconform finds them below their folder."""

_ENTRIES = ("properties", "patternProperties", "definitions")


def write_schemas(cluster: Cluster, directory: Path) -> list[str]:
    """Write a file for every kind.

    Args:
        cluster: whose kinds.
        directory: where to.

    Returns:
        The files' names below it.
    """
    written: list[str] = []
    groups = json.loads(cluster.kubectl("get", "--raw", "/openapi/v3"))["paths"]
    for path, group in groups.items():
        if not path.startswith(("api/", "apis/")) or path.count("/") != (1 if path.startswith("api/") else 2):
            continue
        published = json.loads(cluster.kubectl("get", "--raw", group["serverRelativeURL"]))
        schemas = published.get("components", {}).get("schemas", {})
        for schema in schemas.values():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                name = f"{kind['group'] or kind['version']}/{kind['kind'].lower()}_{kind['version']}.json"
                target = directory / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(json.dumps(_closed(schema, schemas, ())))
                written.append(name)
    return written


def _closed(schema: Any, schemas: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_closed(part, schemas, inside) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {} if name in inside else _closed(schemas[name], schemas, (*inside, name))
    if len(schema.get("allOf", [])) == 1:
        return _closed({**schema["allOf"][0], **_without(schema, "allOf")}, schemas, inside)
    closed = {
        key: {name: _closed(part, schemas, inside) for name, part in value.items()}
        if key in _ENTRIES
        else _closed(value, schemas, inside)
        for key, value in schema.items()
        if key not in ("default", "description")
    }
    if "properties" in closed and not closed.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if closed.get("format") in ("int-or-string", "quantity") or closed.get("x-kubernetes-int-or-string"):
        return _without(closed, "type", "oneOf", "anyOf")
    return closed


def _without(schema: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}
