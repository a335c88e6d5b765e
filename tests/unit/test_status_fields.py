"""docs/security/status-fields.md goes through every field of every status, and the tests that it names are there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntimeStatus
from documents.pages import DOCS, REPOSITORY, code_words, rows, section

TABLES = DOCS / "security" / "status-fields.md"
OPERATOR = REPOSITORY / "operator" / "avatar_operator"
STATUSES = [
    ("AvatarModel", AvatarModelStatus),
    ("AvatarRequest", AvatarRequestStatus),
    ("AvatarRuntime", AvatarRuntimeStatus),
]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        spelled = f"{prefix}{field.alias or name}"
        inner = list(_models(field.annotation))
        if not inner:
            yield spelled
        for each in inner:
            yield from _fields(each, f"{spelled}.")


@pytest.mark.parametrize(("kind", "status"), STATUSES)
def test_every_field_of_a_status_stands_in_the_table_once(kind: str, status: type[BaseModel]) -> None:
    listed = [field for fields, *_ in rows(section(TABLES, kind)) for field in code_words(fields)]
    assert sorted(listed) == sorted(_fields(status))


@pytest.mark.parametrize("kind", [kind for kind, _ in STATUSES])
def test_every_row_names_tests_that_are_there(kind: str) -> None:
    for fields, _, tests in rows(section(TABLES, kind)):
        files = code_words(tests)
        assert files, fields
        assert all((REPOSITORY / file).is_file() for file in files), fields


def test_no_decision_reads_the_state() -> None:
    decisions = [*OPERATOR.glob("*_lifecycle/**/*.py"), *OPERATOR.glob("left_behind/*.py")]
    assert decisions
    for file in decisions:
        read = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)]
        states = [node for node in read if node.attr == "state" and isinstance(node.value, ast.Attribute)]
        assert not [node for node in states if node.value.attr == "status"], file  # type: ignore[attr-defined]
