"""Every value of the chart does what its words say, and is checked before anything is rendered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from avatar_operator.settings import OperatorSettings
from chart.rendering import CHART, Helm, nested
from chart.value_effects import EFFECTS
from local_cluster.helm import HelmFailed
from reference_pages.chart_schema import setting_name
from reference_pages.chart_values import chart_values

VALUES = chart_values((CHART / "values.yaml").read_text())


@pytest.mark.parametrize("path", EFFECTS)
def test_a_value_has_the_effect_that_it_promises(path: str, helm: Helm, with_a_dashboard: Path) -> None:
    effect = EFFECTS[path]
    without = helm.render(nested(effect.given), chart=with_a_dashboard)
    with_it = helm.render(nested({**effect.given, path: effect.value}), chart=with_a_dashboard)

    assert effect.seen(with_it) == effect.expected
    assert effect.seen(without) != effect.expected


def test_every_value_has_a_test() -> None:
    assert sorted(EFFECTS) == sorted(VALUES.leaves())


def test_every_value_has_words() -> None:
    silent = [path for path in VALUES.leaves() if path not in VALUES.comments]
    assert [path for path in silent if not path.startswith("operator.")] == []


def test_the_operators_settings_are_all_there_with_the_defaults_that_it_has_itself() -> None:
    fields = OperatorSettings.model_fields
    own = {setting_name(name): field.get_default() for name, field in fields.items()}
    # A replica's name is its Pod's; what is empty is not handed on. Which namespaces it works in is a value of its own.
    assert list(own.pop("watchNamespaces")) == VALUES.default("watchNamespaces")
    assert VALUES.default("operator") == {**own, "identity": ""}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image.tagg": "x"}, "tagg"),
        ({"replicaCount": 2}, "replicaCount"),
        ({"image.digest": "sha256:short"}, "/image/digest"),
        ({"operator.leaseSeconds": 1}, "/operator/leaseSeconds"),
        ({"operator.logLevel": "loud"}, "/operator/logLevel"),
        ({"operator.httpPort": 0}, "/operator/httpPort"),
        ({"watchNamespaces": ["Team"]}, "/watchNamespaces"),
        ({"watchNamespaces": ["team-a", "team-a"]}, "/watchNamespaces"),
        (
            {"watchNamespaces": ["team-a"], "demo.enabled": True, "crds.enabled": False},
            '"*" is none of watchNamespaces',
        ),
        ({"policies.limits": [{"name": "x"}]}, "namespaceSelector"),
        ({"policies.limits": [{"name": "x", "namespaceSelector": {}}]}, "x limits nothing"),
        ({"operator.drainSeconds": 30}, "must be less than terminationGracePeriodSeconds"),
        ({"demo.enabled": True}, "helm upgrade --reuse-values --set demo.enabled=true"),
        ({"metrics.serviceMonitor.enabled": True, "metrics.service.enabled": False}, "needs metrics.service"),
        ({"metrics.serviceMonitor.enabled": True, "metrics.podMonitor.enabled": True}, "counted twice"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_with_its_name(helm: Helm, values: dict[str, Any], said: str) -> None:
    with pytest.raises(HelmFailed) as refused:
        helm.render(nested(values))
    # Helm writes a path as /a/b or as 'a.b', by its version.
    assert said in str(refused.value) or said.strip("/").replace("/", ".") in str(refused.value)


def test_an_umbrella_charts_global_and_enabled_are_let_through(helm: Helm) -> None:
    assert helm.render({"global": {"anything": {"goes": True}}, "enabled": True}).one("Deployment")


def test_what_helm_lets_through_the_operator_takes(helm: Helm) -> None:
    """The environment of the Pod, as the operator itself reads it."""
    container = helm.render().container()
    prefix = "AVATAR_OPERATOR_"
    given = {
        each["name"].removeprefix(prefix).lower(): each["value"]
        for each in container["env"]
        if each["name"].startswith(prefix) and "value" in each
    }
    assert (
        given.keys() | {"identity", "namespace", "watch_namespaces"} == OperatorSettings.model_fields.keys()
    )
    try:
        OperatorSettings(**json.loads(json.dumps(given)))
    except ValidationError as error:
        pytest.fail(str(error))
