"""The chart on the node, installed in the two steps of docs/install.md: the operator, then what the demo brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avatar_demo.settings import PROJECT
from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError, one_line
from local_cluster.helm import Helm, HelmFailed

NAMESPACE = "avatar-system"
_RELEASE = "avatars"
_CHART = PROJECT / "charts" / "avatar-operator"
_AWS = f"{_RELEASE}-avatar-operator-aws"
_AWS_SELECTOR = f"app.kubernetes.io/name=sagemaker-local,app.kubernetes.io/instance={_RELEASE}"
_OPERATOR_SELECTOR = f"app.kubernetes.io/name=avatar-operator,app.kubernetes.io/instance={_RELEASE}"
_READY_SECONDS = 120


@dataclass(frozen=True)
class Release:
    """The chart's release.

    Attributes:
        cluster: where.
        helm: the program.
    """

    cluster: Cluster
    helm: Helm

    def install(self) -> None:
        """Install the chart as it is, until all its Pods are ready.

        Raises:
            LocalClusterError: Helm says that it failed.
        """
        self._helm("install", "--wait")

    def add_demo(self, sagemaker_local: Mapping[str, Any]) -> None:
        """Have the chart bring its demo, until all its Pods are ready.

        The node has no DNS. What a cluster's DNS would tell the operator, the address of the Service's name, is known once it is
        there, hence a second upgrade.

        Args:
            sagemaker_local: values for `demo.sagemakerLocal`.

        Raises:
            LocalClusterError: Helm says that it failed.
        """
        self._helm(
            "upgrade", "--reuse-values", values={"demo": {"enabled": True, "sagemakerLocal": sagemaker_local}}
        )
        address = self._get("service", _AWS, "jsonpath={.spec.clusterIP}")
        alias = {"ip": address, "hostnames": [_AWS]}
        self._helm("upgrade", "--reuse-values", "--wait", values={"hostAliases": [alias]})
        # One of the former would lead without the address that it lacks.
        self.cluster.wait_for_ending_pods(NAMESPACE, _OPERATOR_SELECTOR, _READY_SECONDS)

    def aws_url(self) -> str:
        """Where this machine reaches sagemaker-local: its Pod's own address, for Services are the node's alone."""
        (pod,) = json.loads(self._get("pods", f"--selector={_AWS_SELECTOR}", "json"))["items"]
        return f"http://{pod['status']['podIP']}:4566"

    def _get(self, kind: str, which: str, output: str) -> str:
        return self.cluster.kubectl("get", kind, which, f"--namespace={NAMESPACE}", f"--output={output}")

    def _helm(self, command: str, *options: str, values: Mapping[str, Any] | None = None) -> None:
        try:
            self.helm.run(
                *(command, _RELEASE, str(_CHART), *options),
                f"--namespace={NAMESPACE}",
                f"--kubeconfig={self.cluster.admin_kubeconfig}",
                f"--timeout={_READY_SECONDS}s",
                "--values=-",
                values=values,
            )
        except HelmFailed as error:
            raise LocalClusterError(f"helm {command}: {one_line(str(error), 1000)}") from error
