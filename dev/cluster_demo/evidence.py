"""What a failed run leaves of a node that is about to go: what the Pods are, what they said, and what the cluster said of them."""

from __future__ import annotations

import shutil
from pathlib import Path

from cluster_demo.release import NAMESPACE
from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError

_QUESTIONS = {
    "avatars.txt": ("describe", "avrt,avm,avr", "--all-namespaces"),
    "pods.txt": ("describe", "pods", "--all-namespaces"),
    "events.txt": ("get", "events", "--all-namespaces", "--sort-by=.metadata.creationTimestamp"),
}
# The workers' own words: sagemaker-local keeps a log for each of its containers.
_CONTAINER_LOGS = 'for log in $(find /tmp -name container.log); do echo "== $log"; tail -n 200 "$log"; done'


def write_evidence(cluster: Cluster, directory: Path) -> None:
    """Ask for everything that tells why something failed; what cannot be had says so in its own file.

    Args:
        cluster: which still runs, or not.
        directory: receives the files; what an earlier run left there goes.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, question in _QUESTIONS.items():
        (directory / name).write_text(_answer(cluster, *question))
    scope = f"--namespace={NAMESPACE}"
    for pod in _answer(cluster, "get", "pods", scope, "--output=name").split():
        if pod.startswith("pod/"):
            name = pod.removeprefix("pod/")
            (directory / f"{name}.log").write_text(_answer(cluster, "logs", name, scope, "--all-containers"))
            if "-aws-" in name:
                said = _answer(cluster, "exec", name, scope, "--", "sh", "-c", _CONTAINER_LOGS)
                (directory / "workers.log").write_text(said)


def _answer(cluster: Cluster, *question: str) -> str:
    try:
        return cluster.kubectl(*question)
    except LocalClusterError as error:
        return f"{error}\n"
