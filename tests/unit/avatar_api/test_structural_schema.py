"""The schema generator: what pydantic says, in the subset that the API server takes."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from avatar_api import generate
from avatar_api.avatar_request import IMMUTABLE_FIELDS, AvatarRequestSpec
from avatar_api.crd import DEFINITIONS, Definition
from avatar_api.schema_base import ApiModel
from avatar_api.structural_schema import NotStructuralError, Schema, structural_schema
from avatar_api.validation_rules import exactly_one_of, rules, spelled

_FORBIDDEN = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "const", "title"}


class _Inner(ApiModel):
    """A value
    in two lines."""

    model_config = rules(exactly_one_of("size", "colour"))

    size: int | None = None
    colour: Literal["Red"] | None = None


class _Outer(ApiModel):
    inner: _Inner = _Inner()
    maybe: Annotated[_Inner, Field(description="Said here.")] | None = None
    many: list[_Inner] = Field(default_factory=list)
    count: int = 3


class _Spelled(ApiModel):
    code: Annotated[
        str, spelled(r"^[a-z]+$", "lowercase letters: abc", ("self != 'abc'", "not that"), max_length=9)
    ]
    plain: Annotated[str, Field(max_length=9, pattern="^x$")] = "x"


class _Mapped(ApiModel):
    labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(default_factory=dict)


class _Ambiguous(ApiModel):
    value: int | str


class _Untyped(ApiModel):
    value: Any


def _schemas(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _schemas(child, f"{path}.{name}")
    if "items" in schema:
        yield from _schemas(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from _schemas(schema["additionalProperties"], f"{path}{{}}")


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_every_part_of_a_crd_is_structural(definition: Definition) -> None:
    for model in (definition.spec, definition.status):
        for path, schema in _schemas(structural_schema(model), model.__name__):
            assert not _FORBIDDEN & set(schema), path
            assert isinstance(schema["type"], str), path


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_every_list_and_string_of_a_crd_is_limited(definition: Definition) -> None:
    for model in (definition.spec, definition.status):
        for path, schema in _schemas(structural_schema(model), model.__name__):
            match schema["type"]:
                case "array":
                    assert "maxItems" in schema, path
                case "string":
                    assert {"maxLength", "enum", "format"} & set(schema), path


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_every_number_that_a_user_may_set_is_limited(definition: Definition) -> None:
    for path, schema in _schemas(structural_schema(definition.spec), definition.spec.__name__):
        assert schema["type"] != "number", f"{path}: floats do not survive every client"
        if schema["type"] == "integer":
            assert {"minimum", "maximum"} <= set(schema), path


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_no_regular_expression_is_shown_to_a_user(definition: Definition) -> None:
    for path, schema in _schemas(structural_schema(definition.spec), definition.spec.__name__):
        assert "pattern" not in schema, f"{path}: give the pattern a sentence with `spelled`"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_no_default_holds_null(definition: Definition) -> None:
    def holds_null(value: object) -> bool:
        return value is None or (isinstance(value, dict) and any(map(holds_null, value.values())))

    for path, schema in _schemas(structural_schema(definition.spec), definition.spec.__name__):
        if "default" in schema:
            assert not holds_null(schema["default"]), path


def test_a_reference_is_replaced_by_what_it_refers_to() -> None:
    schema = structural_schema(_Outer)

    assert schema["properties"]["many"]["items"]["properties"]["size"] == {"type": "integer"}


def test_an_optional_field_is_its_type() -> None:
    assert structural_schema(_Inner)["properties"]["size"] == {"type": "integer"}


def test_a_constant_is_an_enum_of_one() -> None:
    assert structural_schema(_Inner)["properties"]["colour"] == {"type": "string", "enum": ["Red"]}


def test_a_description_at_the_field_wins_over_that_of_its_type() -> None:
    properties = structural_schema(_Outer)["properties"]

    assert properties["maybe"]["description"] == "Said here."
    assert properties["inner"]["description"] == "A value in two lines."


def test_rules_stay_where_their_type_stands() -> None:
    rule = {"rule": exactly_one_of("size", "colour")[0], "message": "set exactly one of size, colour"}

    assert structural_schema(_Outer)["properties"]["inner"]["x-kubernetes-validations"] == [rule]


def test_a_spelling_is_a_rule_with_a_sentence() -> None:
    assert structural_schema(_Spelled)["properties"]["code"] == {
        "type": "string",
        "maxLength": 9,
        "x-kubernetes-validations": [
            {"rule": "self.matches(r'^[a-z]+$')", "message": "lowercase letters: abc"},
            {"rule": "!self.matches(r'^[a-z]+$') || (self != 'abc')", "message": "not that"},
        ],
    }


def test_a_pattern_without_a_sentence_stays() -> None:
    assert structural_schema(_Spelled)["properties"]["plain"]["pattern"] == "^x$"


def test_a_spelling_is_refused_in_python_too() -> None:
    with pytest.raises(ValidationError, match="code"):
        _Spelled(code="ABC")


def test_a_map_has_the_schema_of_its_values() -> None:
    assert structural_schema(_Mapped)["properties"]["labels"] == {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 63},
    }


def test_a_default_stays() -> None:
    assert structural_schema(_Outer)["properties"]["count"]["default"] == 3


def test_a_union_of_several_types_is_refused_by_its_path() -> None:
    with pytest.raises(NotStructuralError, match=r"_Ambiguous\.value: a union"):
        structural_schema(_Ambiguous)


def test_a_field_of_any_type_is_refused_by_its_path() -> None:
    with pytest.raises(NotStructuralError, match=r"_Untyped\.value: .* one type"):
        structural_schema(_Untyped)


def test_every_field_of_a_request_is_immutable_but_two() -> None:
    fields = structural_schema(AvatarRequestSpec)["properties"]

    assert set(fields) - set(IMMUTABLE_FIELDS) == {"deletionPolicy", "ttlSecondsAfterFinished"}


def test_the_committed_crds_are_what_the_types_say() -> None:
    for path, text in generate.rendered().items():
        assert path.read_text() == text, f"{path.name} has drifted: run `make generate`"


def test_the_check_names_a_file_that_has_drifted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, text = next(iter(generate.rendered().items()))
    monkeypatch.setattr(generate, "rendered", lambda: {path: f"{text}# another type\n"})
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])

    assert generate.main() == 1
    assert f"{path.name} differs" in capsys.readouterr().err
