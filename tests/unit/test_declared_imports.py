"""Each package declares what it imports. What only another package brings along goes with that one's next release."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
FOR_EVERYBODY = PYPROJECT["project"]["dependencies"]
FOR_DEVELOPERS = [
    *PYPROJECT["dependency-groups"]["dev"],
    *(each for extra in EXTRAS.values() for each in extra),
]
DECLARED = {
    "crds/avatar_api": FOR_EVERYBODY,
    "operator/avatar_operator": [*FOR_EVERYBODY, *EXTRAS["operator"]],
    "workers/avatar_workers": [*FOR_EVERYBODY, *EXTRAS["workers"]],
    "aws/sagemaker_local": EXTRAS["local"],
    "dev": [*FOR_EVERYBODY, *FOR_DEVELOPERS],
    "tests": [*FOR_EVERYBODY, *FOR_DEVELOPERS],
    "benchmarks": [*FOR_EVERYBODY, *FOR_DEVELOPERS],
}
DEVELOPERS_DOORS = {"crds/avatar_api/generate.py": "pyyaml", "aws/sagemaker_local/pytest_plugin.py": "pytest"}
"""Modules that nothing imports and only a developer opens, who has what they need."""
OURS = {
    path.stem
    for folder in ("", "crds", "operator", "workers", "aws", "dev", "tests")
    for path in (REPOSITORY / folder).iterdir()
}
DISTRIBUTIONS = packages_distributions()


@pytest.mark.parametrize("folder", DECLARED)
def test_whatever_is_imported_is_declared(folder: str) -> None:
    declared = {_name(requirement) for requirement in DECLARED[folder]}
    undeclared = {
        f"{file}: {module}"
        for path in (REPOSITORY / folder).rglob("*.py")
        for file in [path.relative_to(REPOSITORY).as_posix()]
        for module in _imported(ast.parse(path.read_text()))
        if not _brought_by(module) & {*declared, DEVELOPERS_DOORS.get(file)}
    }
    assert undeclared == set()


def _imported(tree: ast.AST) -> Iterator[str]:
    """Top-level modules of others that are imported when the code runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            module = name.partition(".")[0]
            if module not in sys.stdlib_module_names | OURS:
                yield module
        yield from _imported(node)


def _brought_by(module: str) -> set[str | None]:
    return {_name(distribution) for distribution in DISTRIBUTIONS.get(module, [])}


def _name(requirement: str) -> str:
    """The normalised name of a distribution."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()
