"""Every field of every kind is described: `kubectl explain` is where its users look first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field as PydanticField

from avatar_api.crd import DEFINITIONS
from avatar_api.documents.training import TrainingSettings
from avatar_api.reference_page import Check, Field, checks, fields
from avatar_api.schema_base import ApiModel, decimal
from avatar_api.structural_schema import Schema, structural_schema
from avatar_operator.model_lifecycle.training_request import BUILT_IN_SETTINGS

LARGEST_ANNOTATION = 262144
"""Bytes: `kubectl apply` keeps a copy of the whole definition in one."""
UNITS = {
    *(
        "attempts",
        "bytes",
        "class images",
        "columns",
        "generation",
        "images",
        "instances",
        "invocations",
        "money",
    ),
    *("number", "orphans", "percent", "photos", "pictures", "pixels", "seconds", "steps", "trainings"),
    *("guidance scale", "loss", "training step moves the weights", "which training"),
}
FACTS = re.compile(r" (Range: |Default: |(At most|At least|Exactly) \d+ |\d+ to \d+ (characters|entries)).*")
"""What is put behind a sentence."""
FILLERS = {"the", "of", "a", "an", "its", "this", "is"}
ALTERNATIVES = {"AvatarModel.spec.photos.s3Prefix"}
"""Of which one has to be there, so that there is nothing to say of its absence."""
SAID_OF_ABSENCE = re.compile(
    r"Absent: |Where neither the model nor the runtime says: |Default, and at most: |Default: "
)


def _schema(kind: int) -> Schema:
    [version] = DEFINITIONS[kind].to_wire()["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    return schema


def _fields() -> Iterator[tuple[str, Field]]:
    for number, definition in enumerate(DEFINITIONS):
        for part in ("spec", "status"):
            for field in fields(_schema(number)["properties"][part], part):
                yield f"{definition.kind.kind}.{field.path}", field


FIELDS = dict(_fields())


def _described(name: str) -> str:
    description: str = FIELDS[name].schema.get("description", "")
    return description


def _is_number(name: str) -> bool:
    return FIELDS[name].schema["type"] == "integer" or "Range: " in _described(name)


def test_every_field_is_described_by_a_sentence() -> None:
    def is_sentence(name: str) -> bool:
        sentence = FACTS.sub("", _described(name))
        return re.fullmatch(r"[A-Z`].{10,}[.]", sentence) is not None

    assert len(FIELDS) > 200
    assert {name for name in FIELDS if not is_sentence(name)} == set()


def test_no_description_is_only_the_name_of_the_field_again() -> None:
    def says_more(name: str) -> bool:
        in_name = re.findall(r"[a-z0-9]+", re.sub(r"([A-Z])", r" \1", name.rpartition(".")[2]).lower())
        words = re.findall(r"[a-z0-9]+", _described(name).lower())
        return len([word for word in words if word not in {*in_name, *FILLERS}]) >= 2

    assert {name for name in FIELDS if not says_more(name)} == set()


def test_every_number_is_described_with_its_unit() -> None:
    def has_unit(name: str) -> bool:
        sentence = _described(name).lower().replace("a decimal number", "")
        return any(unit in sentence for unit in UNITS)

    assert {name for name in filter(_is_number, FIELDS) if not has_unit(name)} == set()


def test_every_bound_and_default_stands_in_the_description() -> None:
    for name, field in FIELDS.items():
        schema, described = field.schema, _described(name)
        for keyword in ("minimum", "maximum", "maxItems", "maxLength"):
            if keyword in schema and not ("Range: " in described and schema["type"] == "string"):
                assert re.search(rf"\b{schema[keyword]}\b", described), (name, keyword)
        default = schema.get("default")
        if isinstance(default, str | int) and default != "":
            said = re.escape(default if isinstance(default, str) else json.dumps(default))
            assert re.search(rf'Default: ("{said}"|{said})\.', described), name


def test_every_field_that_a_user_may_leave_out_says_what_holds_then() -> None:
    def is_optional_wish(field: Field) -> bool:
        return (
            field.path.startswith("spec.")
            and not field.required
            and field.schema["type"] not in ("array", "object")
        )

    wishes = {name for name, field in FIELDS.items() if is_optional_wish(field)} - ALTERNATIVES
    assert len(wishes) > 50
    assert {name for name in wishes if not SAID_OF_ABSENCE.search(_described(name))} == set()


@pytest.mark.parametrize("kind", ["AvatarModel.spec.training", "AvatarRuntime.spec.defaults.training"])
def test_what_holds_where_nobody_says_is_what_the_operator_takes(kind: str) -> None:
    def told(settings: dict[str, Any], path: str) -> None:
        for name, value in settings.items():
            if isinstance(value, dict):
                told(value, f"{path}.{name}")
            else:
                in_words = f"{value:f}".rstrip("0") if isinstance(value, float) and value < 1 else str(value)
                assert f"nor the runtime says: {in_words}." in _described(f"{path}.{name}"), name

    told(TrainingSettings.model_validate(BUILT_IN_SETTINGS).model_dump(by_alias=True), kind)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.kind)
def test_a_definition_fits_into_the_annotation_of_kubectl_apply(definition: Any) -> None:
    assert len(json.dumps(definition.to_wire())) < LARGEST_ANNOTATION * 0.75


class _Wish(ApiModel):
    count: Annotated[int, PydanticField(ge=1, le=9, multiple_of=2, description="Things.")] = 4
    least: Annotated[int, PydanticField(ge=1, description="Things.")]
    share: Annotated[
        str, decimal("share", at_most=50, example="7.5"), PydanticField(description="A share.")
    ] = "7.5"
    rate: Annotated[
        str, decimal("rate", above_zero=True, at_most=1, example="0.1"), PydanticField(description="A rate.")
    ]
    price: Annotated[str, decimal("price", example="0.1"), PydanticField(description="A price.")]
    names: Annotated[list[str], PydanticField(min_length=1, max_length=3, description="Names.")]
    code: Annotated[str, PydanticField(min_length=2, max_length=2, description="A code.")] = "en"
    on: Annotated[bool, PydanticField(description="Whether.")] = False


@pytest.mark.parametrize(
    ("field", "description"),
    [
        ("count", "Things. Range: 1 to 9, in steps of 2. Default: 4."),
        ("least", "Things. Range: at least 1."),
        ("share", 'A share. Range: 0 to 50. Default: "7.5".'),
        ("rate", "A rate. Range: above 0 and at most 1."),
        ("price", "A price. Range: 0 and above."),
        ("names", "Names. 1 to 3 entries."),
        ("code", "A code. Exactly 2 characters. Default: en."),
        ("on", "Whether. Default: false."),
    ],
)
def test_range_and_default_are_put_behind_the_sentence_from_the_schema(field: str, description: str) -> None:
    assert structural_schema(_Wish)["properties"][field]["description"] == description


def test_the_reference_knows_which_fields_an_update_may_not_change() -> None:
    fixed = {check.message: check for check in checks(_schema(2), "") if check.when == "on change"}

    assert fixed["spec.backend.sagemaker.region is immutable: create another AvatarRuntime"] == Check(
        ("spec.backend.sagemaker.region",),
        "on change",
        "spec.backend.sagemaker.region is immutable: create another AvatarRuntime",
        fixes=True,
    )
    kind = fixed["spec.backend cannot change its kind: create another AvatarRuntime"]
    assert (kind.fields, kind.fixes) == (("spec.backend.sagemaker",), False)
