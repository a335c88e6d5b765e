"""The chart on the node, installed in the two steps of docs/install.md: the operator, then what the demo brings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_demo.settings import PROJECT
from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError, one_line

NAMESPACE = "avatar-system"
_RELEASE = "avatars"
_CHART = PROJECT / "charts" / "avatar-operator"
_AWS = f"{_RELEASE}-avatar-operator-aws"
_AWS_SELECTOR = f"app.kubernetes.io/name=sagemaker-local,app.kubernetes.io/instance={_RELEASE}"
_READY_SECONDS = 120


@dataclass(frozen=True)
class Release:
    """The chart's release.

    Attributes:
        cluster: where.
        helm: the program.
        home: where it may keep what it likes.
    """

    cluster: Cluster
    helm: Path
    home: Path

    def make_namespace(self) -> None:
        """Make the operator's namespace, which takes no Pod that has more rights than it needs."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": labels},
        }
        self.cluster.apply_manifest(json.dumps(namespace))

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
        self._wait_until_former_pods_are_gone()

    def _wait_until_former_pods_are_gone(self) -> None:
        # Helm waits for those that are to come alone, and one of the former would lead without the address that it lacks.
        ending = "jsonpath={range .items[?(@.metadata.deletionTimestamp)]}pod/{.metadata.name} {end}"
        if former := self._get("pods", "--selector=app.kubernetes.io/name=avatar-operator", ending).split():
            self.cluster.kubectl(
                "wait", *former, f"--namespace={NAMESPACE}", "--for=delete", f"--timeout={_READY_SECONDS}s"
            )

    def aws_url(self) -> str:
        """Where this machine reaches sagemaker-local: its Pod's own address, for Services are the node's alone."""
        (pod,) = json.loads(self._get("pods", f"--selector={_AWS_SELECTOR}", "json"))["items"]
        return f"http://{pod['status']['podIP']}:4566"

    def _get(self, kind: str, which: str, output: str) -> str:
        return self.cluster.kubectl("get", kind, which, f"--namespace={NAMESPACE}", f"--output={output}")

    def _helm(self, command: str, *options: str, values: Mapping[str, Any] | None = None) -> None:
        done = subprocess.run(
            [
                self.helm,
                command,
                _RELEASE,
                _CHART,
                *options,
                f"--namespace={NAMESPACE}",
                f"--kubeconfig={self.cluster.admin_kubeconfig}",
                f"--timeout={_READY_SECONDS}s",
                "--values=-",
            ],
            input=json.dumps(values or {}),
            # Nothing of this user's own Helm settings.
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LocalClusterError(f"helm {command}: {one_line(done.stderr, 1000)}")
