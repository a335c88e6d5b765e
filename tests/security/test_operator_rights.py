"""The operator has the rights that it uses, and no others: the API server's own record says which those are.

Here an operator does all that it ever does; in tests/node/test_installed_operator.py the Pods of the chart do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from avatar_api.group import AVATAR_MODEL, GROUP, VERSION
from builders.exact_rights import granted_by_the_chart, rights_in_use
from builders.service_account import roles_and_bindings
from e2e.flight import (
    SERVICE_ACCOUNT,
    SYSTEM_NAMESPACE,
    Flight,
    OperatorProcess,
    install_control_plane,
)
from local_cluster.cluster import LocalCluster
from local_cluster.rights import Account
from sagemaker_local.testing import LocalAws

OPERATOR = Account(SYSTEM_NAMESPACE, SERVICE_ACCOUNT)
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def flight(audited_cluster: LocalCluster, namespace: str) -> Iterator[Flight]:
    """A tenant whose models are trained in no time."""
    with LocalAws() as aws:
        tenant = Flight(audited_cluster, namespace, aws)
        yield tenant
        tenant.clean_up()


def test_every_right_is_used_and_nothing_is_tried_without_one(
    audited_cluster: LocalCluster, flight: Flight, tmp_path: Path, no_operator: None
) -> None:
    kubeconfig = install_control_plane(audited_cluster)
    audited_cluster.kubectl("delete", "lease", SERVICE_ACCOUNT, "-n", SYSTEM_NAMESPACE, "--ignore-not-found")
    since = audited_cluster.audit_position()
    operator = OperatorProcess(tmp_path, kubeconfig, flight.aws)
    operator.start()
    try:
        _a_whole_life(flight, kubeconfig)
    finally:
        operator.stop()  # a watch is in the record when it has ended
    rights = rights_in_use(OPERATOR, roles_and_bindings(audited_cluster), audited_cluster.audit_events(since))
    assert rights.own == granted_by_the_chart(SYSTEM_NAMESPACE)
    assert rights.unused == set()
    assert rights.refused == set()
    # Which kinds there are, as kopf asks at its start; every account may.
    assert {(use.verb, use.url.split("/")[1]) for use in rights.common} == {("get", "api"), ("get", "apis")}


def _a_whole_life(flight: Flight, kubeconfig: Path) -> None:
    """Everything that the operator does to objects: a tenant chosen by labels, models and requests that end by themselves."""
    anybody = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": flight.namespace}}}
    flight.apply(
        flight.runtime_manifest(backend={"simulated": {"trainingSeconds": 0}}, tenancy=anybody),
        flight.model_manifest("ann", retention={"expireAfterSeconds": 60}),
        flight.request_manifest("pictures", "ann"),
    )
    flight.wait_for_state("avr", "pictures", "Succeeded")
    flight.reasons("ann", until={"ModelReady"})
    flight.apply(flight.request_manifest("pictures", "ann", ttlSecondsAfterFinished=0))
    flight.wait_until_gone("avr", "pictures")
    _say_that_training_ended(flight, "ann", LONG_AGO, kubeconfig)
    flight.wait_until_gone("avm", "ann")
    flight.cluster.kubectl("delete", "avrt", flight.name, "--timeout=60s")


def _say_that_training_ended(flight: Flight, model: str, when: str, kubeconfig: Path) -> None:
    """Spare us the sixty seconds that a model is kept at least; as the operator, because statuses are its own."""
    as_operator = config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi(as_operator)
    status = {"status": {"training": {"completionTime": when}}}
    api.patch_namespaced_custom_object_status(
        GROUP,
        VERSION,
        flight.namespace,
        AVATAR_MODEL.plural,
        model,
        status,
        _content_type="application/merge-patch+json",
    )
