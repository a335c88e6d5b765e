"""Words that another version of the operator wrote into a status."""

import warnings
from typing import Any

import pytest
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_api.crd import DEFINITIONS, Definition
from avatar_api.schema_base import ApiModel
from avatar_api.structural_schema import Schema, structural_schema
from builders.objects import a_condition


@pytest.mark.parametrize("status", [AvatarModelStatus, AvatarRequestStatus, AvatarRuntimeStatus])
def test_an_unknown_state_is_read_and_written_as_it_is(status: type[ApiModel]) -> None:
    newer = {"observedGeneration": 1, "state": "Moderating", "conditions": []}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert status.model_validate(newer).to_wire().items() >= newer.items()


def test_an_unknown_status_of_a_condition_is_read() -> None:
    condition = a_condition("Ready").to_wire() | {"status": "Perhaps"}

    status = AvatarModelStatus.model_validate({"conditions": [condition]})

    assert status.to_wire()["conditions"] == [condition]


def test_an_unknown_role_of_an_endpoint_is_read() -> None:
    endpoint = {"role": "Judging", "name": "judge", "state": "InService"}

    status = AvatarRuntimeStatus.model_validate({"endpoints": [endpoint]})

    assert status.to_wire()["endpoints"] == [endpoint]


def test_what_is_no_word_is_refused() -> None:
    with pytest.raises(ValidationError, match="state"):
        AvatarModelStatus.model_validate({"state": 3})


def _enums(schema: Schema, path: str) -> dict[str, list[str]]:
    found = {path: schema["enum"]} if "enum" in schema else {}
    for name, child in schema.get("properties", {}).items():
        found |= _enums(child, f"{path}.{name}")
    return found | (_enums(schema["items"], f"{path}[]") if "items" in schema else {})


def _example(schema: Schema, path: str, place: str, word: str) -> Any:
    """The least value of a schema that has `word` at one place."""
    if path == place:
        return word
    match schema["type"]:
        case "object":
            wanted = set(schema.get("required", ())) | {
                name
                for name in schema["properties"]
                if place.startswith((f"{path}.{name}.", f"{path}.{name}[")) or place == f"{path}.{name}"
            }
            return {
                name: _example(schema["properties"][name], f"{path}.{name}", place, word) for name in wanted
            }
        case "array":
            return [_example(schema["items"], f"{path}[]", place, word)]
        case "integer":
            return 1
        case "boolean":
            return True
    return "2026-11-22T12:00:00Z" if schema.get("format") == "date-time" else "Word"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_every_word_of_a_status_is_closed_in_the_schema_and_open_on_reading(definition: Definition) -> None:
    schema = structural_schema(definition.status)
    enums = _enums(schema, "status")

    assert {"status.state", "status.conditions[].status"} <= set(enums)
    for place in enums:
        definition.status.model_validate(_example(schema, "status", place, "Brand-new"))
