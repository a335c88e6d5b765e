"""The table of AWS's contracts in docs/sagemaker-local.md is true: it names tests that exist, and leaves no row without one
or a reason.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
CONFORMANCE = REPOSITORY / "tests" / "conformance"
SECTIONS = ("2.1", "2.2", "2.3", "2.4", "2.5", "3.1")


@dataclass(frozen=True)
class Row:
    number: str
    on_aws: frozenset[str]
    elsewhere: frozenset[str]
    status: str


def rows() -> list[Row]:
    page = (REPOSITORY / "docs" / "sagemaker-local.md").read_text()
    found = []
    for line in re.findall(r"^\| \d\.\d\.\d+ \|.*\|$", page, re.MULTILINE):
        number, _, tests, status = (cell.strip() for cell in line.strip("|").split("|"))
        elsewhere = frozenset(re.findall(r"\*`(test_\w+)`\*", tests))
        found.append(
            Row(number, frozenset(re.findall(r"`(test_\w+)`", tests)) - elsewhere, elsewhere, status)
        )
    return found


def names_of_tests(*files: Path) -> set[str]:
    return {
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_test_that_is_said_to_run_against_aws_exists() -> None:
    existing = names_of_tests(*CONFORMANCE.glob("test_*.py"))
    assert {name for row in rows() for name in row.on_aws} - existing == set()


def test_every_other_test_exists() -> None:
    existing = names_of_tests(
        *(CONFORMANCE / "emulator").glob("test_*.py"), *Path(__file__).parent.rglob("test_*.py")
    )
    assert {name for row in rows() for name in row.elsewhere} - existing == set()


def test_every_row_has_a_status_and_a_test_or_a_reason() -> None:
    for row in rows():
        assert re.match(r"(emulated|not emulated: .+|no test: .+)", row.status), row
        assert row.on_aws or row.elsewhere or "no test" in row.status or "not emulated: " in row.status, row


def test_what_is_not_tested_on_aws_says_why() -> None:
    for row in rows():
        assert row.on_aws or re.search(r"no test|not emulated: ", row.status), row


def test_no_row_is_missing() -> None:
    numbers = defaultdict(list)
    for row in rows():
        section, _, position = row.number.rpartition(".")
        numbers[section].append(int(position))
    assert tuple(numbers) == SECTIONS
    for section, positions in numbers.items():
        assert positions == list(range(1, len(positions) + 1)), section
