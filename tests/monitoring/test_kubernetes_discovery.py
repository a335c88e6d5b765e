"""Objects of a namespace become the targets that Prometheus' discovery makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.kubernetes_discovery import targets_of

SERVICE = {
    "kind": "Service",
    "metadata": {"name": "avatars", "namespace": "system", "labels": {"app.kubernetes.io/name": "operator"}},
}
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "avatars-1", "namespace": "system", "labels": {"hash": "f00"}},
    "spec": {
        "containers": [
            {"name": "proxy"},
            {"name": "operator", "ports": [{"name": "http", "containerPort": 8080}]},
        ]
    },
    "status": {"phase": "Running", "podIP": "10.0.0.7"},
}
REFERENCE = {"kind": "Pod", "name": "avatars-1"}
OF_THE_POD = {
    "__meta_kubernetes_namespace": "system",
    "__meta_kubernetes_pod_name": "avatars-1",
    "__meta_kubernetes_pod_phase": "Running",
    "__meta_kubernetes_pod_label_hash": "f00",
    "__meta_kubernetes_pod_labelpresent_hash": "true",
    "__meta_kubernetes_pod_container_name": "operator",
    "__meta_kubernetes_pod_container_port_name": "http",
    "__meta_kubernetes_pod_container_port_number": "8080",
}


def endpoints(**addresses: Any) -> dict[str, Any]:
    return {
        "kind": "Endpoints",
        "metadata": {"name": "avatars", "namespace": "system"},
        "subsets": [{"ports": [{"name": "http", "port": 8080}], **addresses}],
    }


@pytest.mark.parametrize("readiness", ["addresses", "notReadyAddresses"])
def test_an_address_of_a_service_is_a_target_with_what_is_known_of_service_and_pod(readiness: str) -> None:
    found = targets_of(
        "endpoints", [endpoints(**{readiness: [{"ip": "10.0.0.7", "targetRef": REFERENCE}]}), POD, SERVICE]
    )

    assert found == [
        {
            "targets": ["10.0.0.7:8080"],
            "labels": {
                **OF_THE_POD,
                "__meta_kubernetes_endpoint_port_name": "http",
                "__meta_kubernetes_endpoint_address_target_kind": "Pod",
                "__meta_kubernetes_endpoint_address_target_name": "avatars-1",
                "__meta_kubernetes_service_name": "avatars",
                "__meta_kubernetes_service_label_app_kubernetes_io_name": "operator",
                "__meta_kubernetes_service_labelpresent_app_kubernetes_io_name": "true",
            },
        }
    ]


def test_a_port_of_a_pod_is_a_target_once_the_pod_has_an_address() -> None:
    waiting = {**POD, "metadata": {**POD["metadata"], "name": "avatars-2"}, "status": {"phase": "Pending"}}

    assert targets_of("pod", [POD, waiting, SERVICE]) == [
        {"targets": ["10.0.0.7:8080"], "labels": OF_THE_POD}
    ]
