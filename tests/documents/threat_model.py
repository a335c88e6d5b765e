"""The table of the threat model: which tests show that a threat is met, and which tests there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from documents.pages import DOCS, REPOSITORY, code_words

THREAT_MODEL = DOCS / "security" / "threat-model.md"


def defended_threats() -> list[tuple[str, list[str]]]:
    """Each threat with the tests that are named for it, as `file` or `file::test`."""
    lines = re.findall(r"^\| (?!---|threat \|)(.+) \| .+ \| (.*) \|$", _threats(), re.MULTILINE)
    return [(threat, code_words(shown_by)) for threat, shown_by in lines]


def _threats() -> str:
    _, _, rest = THREAT_MODEL.read_text().partition("\n## What is defended, and what shows it\n")
    return rest.partition("\n## ")[0]


def tests_of(file: Path) -> set[str]:
    """The names of a file's tests: functions, and the test cases that state machines make."""
    return set(_tests(ast.parse(file.read_text()))) if file.exists() else set()


def _tests(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (
                name.id for name in node.targets if isinstance(name, ast.Name) and name.id[:4] == "Test"
            )


def has_test(named: str) -> bool:
    """Whether a test that is named exists: `file::test`, or `file` for all of its tests."""
    path, _, test = named.partition("::")
    there = tests_of(REPOSITORY / path)
    return test in there if test else bool(there)
