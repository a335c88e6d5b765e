"""Just enough of a Dockerfile: its stages, and what an image made of one of them says of itself.

Source: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from container_images.errors import ImageError

_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction, on one line: `keyword` in capitals, `text` after it."""

    keyword: str
    text: str


@dataclass(frozen=True)
class Stage:
    """From one FROM to the next.

    Attributes:
        base: what it is built on, another stage's name or an image.
        name: what other stages call it; empty for one without a name.
        instructions: those after FROM.
    """

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def of(self, keyword: str) -> list[str]:
        """The texts of all instructions of this keyword."""
        return [found.text for found in self.instructions if found.keyword == keyword]


@dataclass(frozen=True)
class ImageWords:
    """What an image says of itself.

    Attributes:
        user: whom it runs as.
        entrypoint: what it starts.
        environment: the variables that it sets.
        labels: by name.
        ports: that it listens at.
    """

    user: str
    entrypoint: list[str]
    environment: dict[str, str]
    labels: dict[str, str]
    ports: list[str]


@dataclass(frozen=True)
class Dockerfile:
    """A whole file.

    Attributes:
        arguments: those before the first FROM, with their defaults.
        stages: in their order.
    """

    arguments: dict[str, str]
    stages: list[Stage]

    @classmethod
    def read(cls, path: Path) -> Dockerfile:
        """Read and parse it.

        Raises:
            ImageError: it has no stage.
        """
        arguments: dict[str, str] = {}
        stages: list[Stage] = []
        for instruction in _instructions(path.read_text()):
            if instruction.keyword == "FROM":
                words = instruction.text.split()
                stages.append(Stage(words[0], words[2] if len(words) == 3 else ""))
            elif stages:
                stages[-1].instructions.append(instruction)
            elif instruction.keyword == "ARG":
                name, _, default = instruction.text.partition("=")
                arguments[name] = default
        if not stages:
            raise ImageError(f"{path} has no FROM")
        return cls(arguments, stages)

    def stage(self, name: str | None) -> Stage:
        """The stage of this name, or the last one for None.

        Raises:
            ImageError: there is none.
        """
        if name is None:
            return self.stages[-1]
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise ImageError(f"the Dockerfile has no stage {name}")

    def lineage(self, stage: Stage) -> list[Stage]:
        """The stages that it is built on, the first one first, itself last."""
        parents = [other for other in self.stages if other.name and other.name == stage.base]
        return [*(self.lineage(parents[0]) if parents else ()), stage]

    def words(self, target: str | None, given: Mapping[str, str]) -> ImageWords:
        """What the image of a stage says of itself.

        Args:
            target: the stage's name; the last one for None.
            given: values of build arguments.
        """
        user, entrypoint, ports = "", list[str](), list[str]()
        environment, labels, known = dict[str, str](), dict[str, str](), dict[str, str]()
        for stage in self.lineage(self.stage(target)):
            for instruction in stage.instructions:
                text = _filled(instruction.text, known)
                match instruction.keyword:
                    case "ARG":
                        name, _, default = text.partition("=")
                        known[name] = given.get(name) or default or self.arguments.get(name, "")
                    case "ENV":
                        environment |= _pairs(text)
                    case "LABEL":
                        labels |= _pairs(text)
                    case "EXPOSE":
                        ports += text.split()
                    case "USER":
                        user = text
                    case "ENTRYPOINT":
                        entrypoint = json.loads(text)
        return ImageWords(user, entrypoint, environment, labels, ports)


def _instructions(text: str) -> list[Instruction]:
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    found = (line.partition(" ") for line in joined.splitlines())
    return [Instruction(keyword.upper(), rest.strip()) for keyword, _, rest in found]


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1], ""), text)


def _pairs(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(text))
