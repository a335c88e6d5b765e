"""An operator of some namespaces: with the rights that the chart renders for it, logged in as its service account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from builders.manifests import SIMULATED, model_manifest, runtime_manifest
from chart.rendering import Helm
from e2e.flight import OperatorProcess, eventually
from local_cluster.access import Cluster
from sagemaker_local.testing import LocalAws

AT_ONCE = {**SIMULATED, "simulated": {"trainingSeconds": 0}}
Object = dict[str, Any]


def rights_of(helm: Helm, home: str, *teams: str) -> list[Object]:
    """What the chart renders that says who may do what."""
    values = {"watchNamespaces": list(teams), "crds": {"enabled": False}, "userRoles": {"create": False}}
    of_rights = ("Role", "RoleBinding", "ServiceAccount", "ValidatingAdmission")
    return [
        each
        for each in helm.render(values, namespace=home).all()
        if each["kind"].removeprefix("Cluster").startswith(of_rights)
    ]


def install(cluster: Cluster, helm: Helm, home: str, *teams: str) -> None:
    """Have a release's rights in its namespaces."""
    apply(cluster, *rights_of(helm, home, *teams))


def apply(cluster: Cluster, *objects: Object) -> None:
    cluster.apply_manifest(yaml.safe_dump_all(objects))


@contextmanager
def operator_of(
    cluster: Cluster, directory: Path, aws: LocalAws, home: str, *teams: str
) -> Iterator[OperatorProcess]:
    """An operator that runs with the rights of a release, and no others."""
    directory.mkdir(exist_ok=True)
    kubeconfig = cluster.kubeconfig_for_service_account(home, "avatar-operator")
    operator = OperatorProcess(directory, kubeconfig, aws, AVATAR_OPERATOR_WATCH_NAMESPACES=",".join(teams))
    operator.start()
    try:
        yield operator
    finally:
        operator.stop()


def runtime(name: str, *admitted: str) -> Object:
    return runtime_manifest(
        name=name, spec={"backend": AT_ONCE, "tenancy": {"allowedNamespaces": list(admitted)}}
    )


def model(namespace: str, runtime_name: str, name: str = "ann") -> Object:
    return model_manifest(name=name, namespace=namespace, spec={"runtimeRef": {"name": runtime_name}})


def read(cluster: Cluster, kind: str, name: str, namespace: str = "") -> Object:
    found: Object = json.loads(
        cluster.kubectl("get", kind, name, f"--namespace={namespace or 'default'}", "--output=json")
    )
    return found


def wait_for_state(cluster: Cluster, kind: str, name: str, namespace: str, state: str) -> None:
    eventually(
        lambda: read(cluster, kind, name, namespace).get("status", {}).get("state"),
        lambda seen: seen == state,
        what=f"{kind} {namespace}/{name} {state}",
    )
