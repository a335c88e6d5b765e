"""The chart, rendered by Helm, as tests look at it: objects by kind and name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_cluster import helm

CHART = Path(__file__).parents[2] / "charts" / "avatar-operator"
RELEASE = "avatar-operator"
NAMESPACE = "avatar-system"


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


class Helm(helm.Helm):
    """Helm, as it renders the chart without a cluster."""

    def render(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        chart: Path = CHART,
        release: str = RELEASE,
        namespace: str = NAMESPACE,
    ) -> Objects:
        """The chart's objects.

        Args:
            values: nested, as in values.yaml; what they leave out has its default.
            chart: another one to render, such as an umbrella chart.
            release: its name.
            namespace: where it would be installed.

        Raises:
            HelmFailed: it refuses the values.
        """
        return Objects(
            self.run("template", release, str(chart), f"--namespace={namespace}", "--values=-", values=values)
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
