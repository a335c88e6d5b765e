"""What charts/avatar-operator/values.yaml says of its values: defaults as YAML has them, and words out of its comments.

YAML parsers forget comments, so they are read line by line, in the form that helm-docs has made usual: `# -- words` above a key,
further lines of words below them, and `# @schema {...}` for what the type of the default does not say. A key without words of its
own is a group of keys with words, or a part of the value above it (`resources.requests`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "charts" / "avatar-operator"
SETTINGS_GROUP = "operator"
"""The group whose words stand at the fields of OperatorSettings."""

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z][A-Za-z0-9]*):")


@dataclass(frozen=True)
class Comment:
    """What stands above a key."""

    words: str
    schema: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChartValues:
    """values.yaml.

    Attributes:
        defaults: its content.
        comments: by path, `image.tag`.
    """

    defaults: dict[str, Any]
    comments: dict[str, Comment]

    def is_group(self, path: str) -> bool:
        """Whether it has values of its own below it."""
        return path == SETTINGS_GROUP or any(other.startswith(f"{path}.") for other in self.comments)

    def default(self, path: str) -> Any:
        """What is set if nobody says anything."""
        value: Any = self.defaults
        for key in path.split("."):
            value = value[key]
        return value

    def leaves(self) -> list[str]:
        """The path of everything that can be set, in the order of the file."""
        return list(self._leaves("", self.defaults))

    def _leaves(self, prefix: str, group: dict[str, Any]) -> list[str]:
        found: list[str] = []
        for key, value in group.items():
            path = f"{prefix}{key}"
            found += self._leaves(f"{path}.", value) if self.is_group(path) else [path]
        return found


def chart_values(text: str) -> ChartValues:
    """Read it.

    Args:
        text: of values.yaml.
    """
    comments: dict[str, Comment] = {}
    open_keys: list[tuple[int, str]] = []
    above: list[str] = []
    for line in text.splitlines():
        said = line.strip()
        if said.startswith("# -- "):
            above = [said[5:]]
        elif said.startswith("# ") and above:
            above.append(said[2:])
        else:
            if (found := _KEY.match(line)) is not None:
                indent = len(found["indent"])
                open_keys = [*(entry for entry in open_keys if entry[0] < indent), (indent, found["key"])]
                if above:
                    comments[".".join(key for _, key in open_keys)] = _comment(" ".join(above))
            above = []
    return ChartValues(yaml.safe_load(text), comments)


def _comment(text: str) -> Comment:
    words, _, schema = text.partition(" @schema ")
    return Comment(words, json.loads(schema) if schema else {})
