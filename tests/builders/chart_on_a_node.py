"""The chart on a node, as a platform team has it: two replicas of the quick image by a random number, where Pods must be restricted.

The previous chart is the release before this one. There has been none yet, so it is the chart as it is, of a lower version and
without the API's newest optional field: an upgrade meets other labels, by which every Pod is replaced, and a CRD that lacks a field.
The image is the same. The chart's first commit would be a truer past, but a shallow checkout and an archive of the sources have no
past, and nobody ever had an image of that time. Once there is a release, its package and its image belong here.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from builders.manifests import merged
from builders.pods import ClusterWithPods
from chart.rendering import CHART, NAMESPACE, RELEASE, Helm
from container_images.images import project_version
from local_cluster.errors import LocalClusterError

Object = dict[str, Any]
PREVIOUS_VERSION = "0.0.9"
NEWEST_FIELD = "suspend"
"""Of an AvatarModel's spec, which the previous chart's CRD does not have."""
MODELS_CRD = "crd/avatarmodels.avatars.dev"
_SELECTOR = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/name=avatar-operator"
_ENOUGH_SECONDS = 90


def write_previous_chart(directory: Path) -> Path:
    """Write the chart of the release before this one, and return where it is."""
    chart = directory / CHART.name
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(
        yaml.safe_dump({**about, "version": PREVIOUS_VERSION, "appVersion": PREVIOUS_VERSION})
    )
    file = chart / "files" / "crds" / "avatars.dev_avatarmodels.yaml"
    definition = yaml.safe_load(file.read_text())
    spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"][NEWEST_FIELD]
    file.write_text(yaml.safe_dump(definition))
    return chart


@dataclass(frozen=True)
class ChartOnANode:
    """A release of the chart, which comes and goes.

    Attributes:
        cluster: where; it knows the operator's image.
        helm: the program.
        uid: whom its Pods run as.
    """

    cluster: ClusterWithPods
    helm: Helm
    uid: int

    @classmethod
    def with_any_uid(cls, cluster: ClusterWithPods, helm: Helm) -> ChartOnANode:
        """Its Pods run by a number that no passwd file has, and another one each time."""
        return cls(cluster, helm, random.randint(1_000_000_000, 2_000_000_000))

    def values(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What it is installed with: its defaults, but for which image it is and who runs it."""
        return merged(
            {
                # The previous chart would ask for an image of its own version.
                "image": {"tag": project_version(), "pullPolicy": "Never"},
                "podSecurityContext": {"runAsUser": self.uid},
            },
            changes,
        )

    def apply(self, chart: Path = CHART, values: Mapping[str, Any] | None = None) -> None:
        """`helm upgrade --install`, until all its Pods are ready and none of another version is left.

        Args:
            chart: in which version.
            values: changes to `values()`.
        """
        self._helm(
            *("upgrade", RELEASE, str(chart), "--install", "--wait", "--values=-"),
            values=self.values(values),
        )
        self.cluster.wait_for_ending_pods(NAMESPACE, _SELECTOR, _ENOUGH_SECONDS)

    def roll_back(self) -> None:
        """`helm rollback` to the revision before, and wait as `apply` does."""
        self._helm("rollback", RELEASE, "--wait")
        self.cluster.wait_for_ending_pods(NAMESPACE, _SELECTOR, _ENOUGH_SECONDS)

    def uninstall(self) -> None:
        """`helm uninstall`, if it is installed, until its Pods are gone."""
        self._helm("uninstall", RELEASE, "--ignore-not-found", "--wait")
        self.wait_for_pods("delete")

    def test(self) -> str:
        """`helm test`, and what it said."""
        return self._helm("test", RELEASE, "--logs")

    def history(self) -> list[Object]:
        """Its revisions, oldest first."""
        revisions: list[Object] = json.loads(self._helm("history", RELEASE, "--output=json"))
        return revisions

    def pods(self) -> list[Object]:
        """The operator's Pods that nobody has told to end."""
        found = self.cluster.kubectl(
            "get", "pods", f"--namespace={NAMESPACE}", f"--selector={_SELECTOR}", "--output=json"
        )
        return [pod for pod in json.loads(found)["items"] if "deletionTimestamp" not in pod["metadata"]]

    def lease(self) -> Object:
        """The spec of the Lease: who leads, and how often that changed."""
        found = self.cluster.kubectl(
            "get", "lease", "avatar-operator", f"--namespace={NAMESPACE}", "--output=json"
        )
        spec: Object = json.loads(found)["spec"]
        return spec

    def leader(self) -> Object:
        """The Pod that leads, once one does."""
        deadline = time.monotonic() + _ENOUGH_SECONDS
        while True:
            holder, pods = self.lease().get("holderIdentity"), self.pods()
            for pod in pods:
                if pod["metadata"]["name"] == holder:
                    return pod
            assert time.monotonic() < deadline, (
                f"{holder or 'nobody'} leads: none of {[pod['metadata']['name'] for pod in pods]}"
            )
            time.sleep(0.2)

    def log(self) -> str:
        """What the operator's Pods said last."""
        return self.cluster.kubectl(
            "logs", f"--namespace={NAMESPACE}", f"--selector={_SELECTOR}", "--prefix", "--tail=40"
        )

    def drain(self, node: str) -> None:
        """`kubectl drain` of a node, as far as the operator's Pods go, to its end; the node stays closed.

        Args:
            node: as kubectl names it.
        """
        self.cluster.kubectl(
            "drain",
            node.removeprefix("node/"),
            f"--pod-selector={_SELECTOR}",
            f"--timeout={_ENOUGH_SECONDS}s",
        )

    def try_to_evict(self, pod: str) -> str:
        """Ask once for a Pod's eviction, and return what the API server says if it refuses; empty if it does not."""
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": NAMESPACE},
        }
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
        try:
            self.cluster.kubectl("create", "--raw", path, "-f", "-", standard_input=json.dumps(eviction))
        except LocalClusterError as refused:
            return str(refused)
        return ""

    def wait_for_pods(self, what: str) -> None:
        """Wait for something of all the operator's Pods, as `kubectl wait --for` spells it."""
        self.cluster.kubectl(
            "wait",
            "pods",
            f"--namespace={NAMESPACE}",
            f"--selector={_SELECTOR}",
            f"--for={what}",
            f"--timeout={_ENOUGH_SECONDS}s",
        )

    def _helm(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        return self.helm.run(
            *arguments,
            f"--namespace={NAMESPACE}",
            f"--kubeconfig={self.cluster.admin_kubeconfig}",
            *([] if arguments[0] == "history" else [f"--timeout={_ENOUGH_SECONDS}s"]),
            values=values,
        )
