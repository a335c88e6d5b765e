"""What the Prometheus of a cluster is told: the Prometheus operator itself says it, out of the monitors and rules that are there.

An imitation of that program would be right about what we know of it, and no more. It runs as a process, with the admin's rights. No
Pod has its Prometheus, of which there is no image here; so what that would be told is taken out of the operator's Secret and
ConfigMap, moved to this machine, and given to Debian's. Only what is there to be scraped is not for it to find out
(`kubernetes_discovery`): it is looked up whenever somebody says so.

Monitors and rules have to carry a label, as in the installations that most people have (kube-prometheus-stack).
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from pathlib import Path
from typing import Any, Final, Self

import yaml

from local_cluster.access import Cluster
from local_cluster.free_ports import free_port
from local_cluster.processes import ProcessIdentity, is_alive, start, stop_all
from local_cluster.prometheus_operator import PrometheusOperator
from monitoring.kubernetes_discovery import targets_of

SELECTED: Final = {"release": "monitoring"}
"""The label by which the Prometheus chooses."""
_NAMESPACE: Final = "monitoring"
_NAME: Final = "watching"
_KINDS: Final = (
    "prometheuses",
    "servicemonitors",
    "podmonitors",
    "prometheusrules",
    "probes",
    "scrapeconfigs",
)
"""Without one of them it reads no other."""
_ENOUGH_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.2
_DISCOVERY: Final = "kubernetes_sd_configs"


def on_this_machine(configuration: str, discovered: Path, rules: Path) -> dict[str, Any]:
    """What a Prometheus outside of the cluster has to be told to do the same as one inside. Pure.

    Args:
        configuration: as the operator writes it, with places for what differs between Pods.
        discovered: the folder with a file, for each role, of what is there to be scraped; it cannot ask Kubernetes itself.
        rules: the folder that the rules were written to.
    """
    found: dict[str, Any] = yaml.safe_load(
        configuration.replace("$(POD_NAME)", f"prometheus-{_NAME}-0").replace("$(SHARD)", "0")
    )
    jobs = [
        {
            **{key: value for key, value in job.items() if key != _DISCOVERY},
            "file_sd_configs": [
                {"files": [str(discovered / f"{discovery['role']}.json") for discovery in job[_DISCOVERY]]}
            ],
        }
        for job in found["scrape_configs"]
    ]
    return {**found, "scrape_configs": jobs, "rule_files": [f"{rules}/*.yaml"]}


class ClusterPrometheus:
    """A Prometheus object that the operator looks after, as long as the context.

    Args:
        cluster: where; the definitions of the operator's kinds stay in it.
        operator: the program.
        directory: for its log, and for rules.
    """

    def __init__(self, cluster: Cluster, operator: PrometheusOperator, directory: Path) -> None:
        self._cluster, self._operator, self._directory = cluster, operator, directory
        self._process: ProcessIdentity | None = None
        self._namespaces: dict[str, list[str]] = {}
        """That are searched, by role."""

    def __enter__(self) -> Self:
        self._cluster.apply(*(self._operator.definition(plural) for plural in _KINDS))
        self._cluster.apply_manifest(yaml.safe_dump_all(_wanted()))
        self._process = start(
            [str(self._operator.program), f"--web.listen-address=127.0.0.1:{free_port()}"],
            self._log,
            detached=False,
            environment={"KUBECONFIG": str(self._cluster.admin_kubeconfig)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            stop_all([self._process])
        self._cluster.delete_namespace(_NAMESPACE)

    def configuration(self, job: str) -> dict[str, Any]:
        """What Prometheus is told, for one on this machine, once there are rules and a job.

        Args:
            job: its name, as the operator makes it from a monitor's: `serviceMonitor/<namespace>/<name>/<number>`.
        """
        rules = self._directory / "rules"
        rules.mkdir(exist_ok=True)
        deadline = time.monotonic() + _ENOUGH_SECONDS
        while True:
            text, files = self._written_configuration(), self._written_rules()
            if f"job_name: {job}\n" in text and files:
                break
            assert self._process is not None
            assert is_alive(self._process) and time.monotonic() < deadline, self._log.read_text()[-3000:]
            time.sleep(_POLL_SECONDS)
        for name, content in files.items():
            (rules / name).write_text(content)
        for wanted in yaml.safe_load(text)["scrape_configs"]:
            for discovery in wanted[_DISCOVERY]:
                self._namespaces[discovery["role"]] = discovery["namespaces"]["names"]
        self.discover()
        return on_this_machine(text, self._discovered, rules)

    def discover(self) -> None:
        """Look up what is there to be scraped now; a Prometheus on this machine heeds it within seconds."""
        self._discovered.mkdir(exist_ok=True)
        for role, namespaces in self._namespaces.items():
            found = [
                target for namespace in namespaces for target in targets_of(role, self._objects(namespace))
            ]
            # Prometheus may read it at any time.
            new = self._discovered / f"{role}.new"
            new.write_text(json.dumps(found))
            new.rename(new.with_suffix(".json"))

    @property
    def _log(self) -> Path:
        return self._directory / "prometheus-operator.log"

    @property
    def _discovered(self) -> Path:
        return self._directory / "discovered"

    def _objects(self, namespace: str) -> list[dict[str, Any]]:
        answer = self._cluster.kubectl(
            "get", "endpoints,services,pods", f"--namespace={namespace}", "--output=json"
        )
        found: list[dict[str, Any]] = json.loads(answer)["items"]
        return found

    def _written_configuration(self) -> str:
        written = self._read("secret", f"prometheus-{_NAME}").get("prometheus.yaml.gz", "")
        return gzip.decompress(base64.b64decode(written)).decode() if written else ""

    def _written_rules(self) -> dict[str, str]:
        return self._read("configmap", f"prometheus-{_NAME}-rulefiles-0")

    def _read(self, kind: str, name: str) -> dict[str, str]:
        answer = self._cluster.kubectl(
            "get", kind, name, f"--namespace={_NAMESPACE}", "--ignore-not-found", "--output=json"
        )
        data: dict[str, str] = json.loads(answer or "{}").get("data") or {}
        return data


def _wanted() -> list[dict[str, Any]]:
    chosen = {"matchLabels": SELECTED}
    everywhere: dict[str, Any] = {}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": _NAME, "namespace": _NAMESPACE},
            "spec": {
                # Debian's.
                "version": "v2.42.0",
                "replicas": 0,
                "evaluationInterval": "1s",
                **{f"{kind}Selector": chosen for kind in ("serviceMonitor", "podMonitor", "rule")},
                **{
                    f"{kind}NamespaceSelector": everywhere
                    for kind in ("serviceMonitor", "podMonitor", "rule")
                },
            },
        },
    ]
