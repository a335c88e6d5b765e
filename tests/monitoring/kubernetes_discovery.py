"""What Prometheus finds in a cluster, without its own discovery: Debian builds it without the part that asks Kubernetes.

Objects become the targets that the roles `endpoints` and `pod` make of them, with those labels of each that the Prometheus operator
looks at. Which of them are kept, and what they are called, is decided by its relabelling in the real Prometheus.
Source: https://prometheus.io/docs/prometheus/2.42/configuration/configuration/#kubernetes_sd_config
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]
Targets = dict[str, Any]
"""Addresses with the same labels, as a file of `file_sd_configs` has them."""
_META = "__meta_kubernetes_"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def targets_of(role: str, objects: list[Object]) -> list[Targets]:
    """Every target of a namespace.

    Args:
        role: `endpoints` or `pod`.
        objects: its Endpoints, Services and Pods, in any order.

    Raises:
        KeyError: another role.
    """
    return list({"endpoints": _of_endpoints, "pod": _of_pods}[role](objects))


def _of_endpoints(objects: list[Object]) -> Iterator[Targets]:
    services, pods = _by_name("Service", objects), _by_name("Pod", objects)
    for endpoints in _by_name("Endpoints", objects).values():
        service = services.get(endpoints["metadata"]["name"])
        for subset in endpoints.get("subsets", []):
            for port in subset.get("ports", []):
                for address in [*subset.get("addresses", []), *subset.get("notReadyAddresses", [])]:
                    backing = address.get("targetRef", {})
                    pod = pods.get(backing.get("name", "")) if backing.get("kind") == "Pod" else None
                    yield _target(
                        f"{address['ip']}:{port['port']}",
                        {
                            "namespace": endpoints["metadata"]["namespace"],
                            "endpoint_port_name": port.get("name", ""),
                            "endpoint_address_target_kind": backing.get("kind", ""),
                            "endpoint_address_target_name": backing.get("name", ""),
                            **(_about("service", service) if service is not None else {}),
                            **(_about_pod(pod, port["port"]) if pod is not None else {}),
                        },
                    )


def _of_pods(objects: list[Object]) -> Iterator[Targets]:
    for pod in _by_name("Pod", objects).values():
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                if address := pod["status"].get("podIP"):
                    number = port["containerPort"]
                    labels = {"namespace": pod["metadata"]["namespace"], **_about_pod(pod, number)}
                    yield _target(f"{address}:{number}", labels)


def _by_name(kind: str, objects: list[Object]) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def _about(kind: str, found: Object) -> dict[str, str]:
    labels = {
        _NOT_IN_NAMES.sub("_", name): value for name, value in found["metadata"].get("labels", {}).items()
    }
    return {
        f"{kind}_name": found["metadata"]["name"],
        **{f"{kind}_label_{name}": value for name, value in labels.items()},
        **{f"{kind}_labelpresent_{name}": "true" for name in labels},
    }


def _about_pod(pod: Object, number: int) -> dict[str, str]:
    """Of a Pod, and of its container that has a port of this number."""
    ports = [
        {
            "pod_container_name": container["name"],
            "pod_container_port_name": port.get("name", ""),
            "pod_container_port_number": str(number),
        }
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if port["containerPort"] == number
    ]
    return {**_about("pod", pod), "pod_phase": pod["status"]["phase"], **(ports[0] if ports else {})}


def _target(address: str, labels: dict[str, str]) -> Targets:
    return {"targets": [address], "labels": {f"{_META}{name}": value for name, value in labels.items()}}
