"""Validation by AWS's own service models.

botocore ships the model of every API: required members, lengths, ranges, patterns, enumerations. SageMaker checks them on
its side and answers with one well-known sentence per kind of constraint; botocore itself does not (it checks types and
requiredness only). Reading the constraints from the model keeps us as current as the installed botocore: new instance types
are accepted the day botocore knows them.

Source of the sentences: the common validation error format of AWS's Java services ("1 validation error detected: Value
'x' at 'y' failed to satisfy constraint: Member must ...").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import botocore.loaders
import botocore.model


@functools.cache
def service_model(service: str) -> botocore.model.ServiceModel:
    """The API model of a service as botocore ships it."""
    description = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service)


def operations(service: str) -> frozenset[str]:
    """The names of a service's operations."""
    return frozenset(service_model(service).operation_names)


def violations(shape: Any, value: Any, path: str) -> list[str]:
    """Every way in which a value breaks its shape, in AWS's words. Empty means valid.

    Arguments:
        shape: a botocore shape.
        value: the value, decoded from JSON or from headers.
        path: how AWS names the place, for example `productionVariants.1.member.instanceType`.
    """
    if shape.type_name == "structure":
        return _structure_violations(shape, value, path)
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [_failed(value, path, "Member must be a list")]
        found = _length_violations(shape, value, len(value), path)
        for index, item in enumerate(value, start=1):
            found += violations(shape.member, item, f"{path}.{index}.member")
        return found
    if shape.type_name == "map":
        if not isinstance(value, Mapping):
            return [_failed(value, path, "Member must be a map")]
        found = _length_violations(shape, value, len(value), path)
        for key, item in value.items():
            found += violations(shape.key, key, f"{path}.{key}.key") + violations(
                shape.value, item, f"{path}.{key}.member"
            )
        return found
    if shape.type_name == "string":
        return _string_violations(shape, value, path)
    if shape.type_name in ("integer", "long", "float", "double"):
        return _number_violations(shape, value, path)
    if shape.type_name == "boolean" and not isinstance(value, bool):
        return [_failed(value, path, "Member must be a boolean")]
    return []


def report(found: list[str]) -> str:
    """AWS's one sentence for a list of violations."""
    plural = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {plural} detected: " + "; ".join(found)


def _structure_violations(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [_failed(value, path, "Member must be a structure")]
    missing = [name for name in shape.required_members if value.get(name) is None]
    found = [_failed(None, _join(path, name), "Member must not be null") for name in missing]
    for name, member in shape.members.items():
        if value.get(name) is not None:
            found += violations(member, value[name], _join(path, name))
    return found


def _string_violations(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, str):
        return [_failed(value, path, "Member must be a string")]
    if shape.enum:
        if value in shape.enum:
            return []
        return [_failed(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")]
    found = _length_violations(shape, value, len(value), path)
    pattern = shape.metadata.get("pattern")
    compiled = _java_pattern(pattern) if pattern else None
    if compiled and not compiled.fullmatch(value):
        found.append(_failed(value, path, f"Member must satisfy regular expression pattern: {pattern}"))
    return found


def _number_violations(shape: Any, value: Any, path: str) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [_failed(value, path, f"Member must be a {shape.type_name}")]
    found: list[str] = []
    if "min" in shape.metadata and value < shape.metadata["min"]:
        found.append(
            _failed(value, path, f"Member must have value greater than or equal to {shape.metadata['min']}")
        )
    if "max" in shape.metadata and value > shape.metadata["max"]:
        found.append(
            _failed(value, path, f"Member must have value less than or equal to {shape.metadata['max']}")
        )
    return found


def _length_violations(shape: Any, value: Any, length: int, path: str) -> list[str]:
    found: list[str] = []
    if "min" in shape.metadata and length < shape.metadata["min"]:
        found.append(
            _failed(value, path, f"Member must have length greater than or equal to {shape.metadata['min']}")
        )
    if "max" in shape.metadata and length > shape.metadata["max"]:
        found.append(
            _failed(value, path, f"Member must have length less than or equal to {shape.metadata['max']}")
        )
    return found


@functools.cache
def _java_pattern(pattern: str) -> re.Pattern[str] | None:
    """AWS's patterns are Java's. Those with Unicode categories (free text of tags) have no counterpart in `re`: None."""
    translated = (
        pattern.replace(r"[\p{Print}]", r"[\x20-\x7e]")
        .replace(r"\p{ASCII}", r"[\x00-\x7f]")
        .replace(r"\z", r"\Z")
        .replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    )
    return None if r"\p{" in translated else re.compile(translated)


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = "Value null" if value is None else f"Value '{str(value)[:256]}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member
