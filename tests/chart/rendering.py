"""The chart, rendered by Helm, as tests look at it: objects by kind and name."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "charts" / "avatar-operator"
RELEASE = "avatar-operator"
NAMESPACE = "avatar-system"


class Refused(Exception):
    """Helm did not render the chart; the message is what it said."""


@dataclass(frozen=True)
class Objects:
    """What was rendered.

    Attributes:
        text: as Helm wrote it.
    """

    text: str

    def all(self) -> list[dict[str, Any]]:
        """Every object."""
        return [document for document in yaml.safe_load_all(self.text) if document]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind."""
        return [found for found in self.all() if found["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """The object of a kind, or the one of them that is called so."""
        (found,) = [each for each in self.of(kind) if name in (None, each["metadata"]["name"])]
        return found

    def operator(self) -> dict[str, Any]:
        """The operator's Deployment, whatever it is called."""
        (found,) = [
            each
            for each in self.of("Deployment")
            if each["spec"]["template"]["spec"]["containers"][0]["name"] == "operator"
        ]
        return found

    def pod(self) -> dict[str, Any]:
        """The spec of the operator's Pods."""
        found: dict[str, Any] = self.operator()["spec"]["template"]["spec"]
        return found

    def container(self) -> dict[str, Any]:
        """The operator's container."""
        (found,) = [each for each in self.pod()["containers"] if each["name"] == "operator"]
        return dict(found)

    def variable(self, name: str) -> Any:
        """What a variable of the operator is, or None."""
        for each in self.container()["env"]:
            if each["name"] == name:
                return each.get("value", each.get("valueFrom"))
        return None


@dataclass(frozen=True)
class Helm:
    """Helm, without a cluster.

    Attributes:
        program: its path.
        home: where it may keep what it likes.
    """

    program: Path
    home: Path

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """Run it.

        Args:
            arguments: what follows `helm`; `--values=-` for the values.
            values: on its standard input.

        Raises:
            Refused: it failed.
        """
        done = subprocess.run(
            [self.program, *arguments],
            input=yaml.safe_dump(dict(values or {})),
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
            timeout=120,
        )
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout

    def render(self, values: Mapping[str, Any] | None = None, *, chart: Path = CHART) -> Objects:
        """The chart's objects.

        Args:
            values: nested, as in values.yaml; what they leave out has its default.
            chart: another one to render, such as an umbrella chart.
        """
        return Objects(
            self.run("template", RELEASE, str(chart), f"--namespace={NAMESPACE}", "--values=-", values=values)
        )


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path (`image.tag`) as Helm takes them."""
    whole: dict[str, Any] = {}
    for path, value in values.items():
        *groups, key = path.split(".")
        group = whole
        for name in groups:
            group = group.setdefault(name, {})
        group[key] = value
    return whole
