"""A tenant of a chart that is installed on a node: a namespace, a simulated runtime, and a user's commands."""

from __future__ import annotations

import json
from typing import Any

from builders.chart_on_a_node import ChartOnANode
from builders.manifests import SIMULATED, model_manifest, request_manifest, runtime_manifest
from local_cluster.errors import LocalClusterError

Object = dict[str, Any]
NAMESPACE = "team-a"
_ENOUGH_SECONDS = 90


class ChartTenant:
    """Talks to the API server as kubectl does; what it waits for, it is told by a watch.

    Args:
        chart: whose tenant it is.
    """

    def __init__(self, chart: ChartOnANode) -> None:
        self._chart, self._cluster = chart, chart.cluster
        self._begun: dict[str, Object] = {}
        """What was said of a training when it had been submitted, by its model."""

    def settle(self, training_seconds: int) -> None:
        """Make the namespace and a runtime on which a training takes so long, and which chooses its tenants by their labels."""
        self._cluster.create_namespace(NAMESPACE)
        simulated = {**SIMULATED, "simulated": {"trainingSeconds": training_seconds}}
        tenancy = {
            "allowedNamespaces": None,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
        }
        self._apply(runtime_manifest(spec={"backend": simulated, "tenancy": tenancy}))
        self.wait("avatarruntime/standard", "condition=Ready")

    def begin_training(self, name: str) -> None:
        """Apply a model, and wait until its training has been submitted."""
        self._apply(model_manifest(name=name, namespace=NAMESPACE))
        self.wait(f"avatarmodel/{name}", "jsonpath={.status.training.submittedTime}")
        self._begun[name] = self.find(f"avatarmodel/{name}")["status"]["training"]

    def begin_what_expires(self, name: str) -> None:
        """Apply a model that is kept no longer than the API allows, a minute from the end of its training."""
        retention = {"expireAfterSeconds": 60}
        self._apply(model_manifest(name=name, namespace=NAMESPACE, spec={"retention": retention}))

    def draw_what_expires(self, name: str, model: str) -> None:
        """Apply a request that goes with its end, and wait until it is gone."""
        spec = {"modelRef": {"name": model}, "ttlSecondsAfterFinished": 0}
        self._apply(request_manifest(name=name, namespace=NAMESPACE, spec=spec))
        self.wait(f"avatarrequest/{name}", "delete")

    def finished_training(self, name: str) -> Object:
        """The model, once it is Ready; fails the test if another training made it so than the one that was begun."""
        self.wait(f"avatarmodel/{name}", "condition=Ready")
        model = self.find(f"avatarmodel/{name}")
        for said in ("attempt", "inferenceId", "submittedTime"):
            assert model["status"]["training"][said] == self._begun[name][said], said
        assert "lastFailure" not in model["status"]
        return model

    def draw(self, name: str, model: str) -> Object:
        """Apply a request and return it once its pictures are drawn."""
        self._apply(request_manifest(name=name, namespace=NAMESPACE, spec={"modelRef": {"name": model}}))
        self.wait(f"avatarrequest/{name}", "condition=Ready")
        return self.find(f"avatarrequest/{name}")

    def delete(self, what: str) -> None:
        """Ask for an object's deletion, and wait for nothing."""
        self._cluster.kubectl("delete", what, f"--namespace={NAMESPACE}", "--wait=false")

    def wait(self, what: str, condition: str) -> None:
        """Wait for something of an object, as `kubectl wait --for` spells it; fails the test if it does not come."""
        scope = f"--namespace={NAMESPACE}"
        try:
            self._cluster.kubectl("wait", what, scope, f"--for={condition}", f"--timeout={_ENOUGH_SECONDS}s")
        except LocalClusterError as error:
            status = self.find(what).get("status")
            raise AssertionError(f"{error}\n{what} has {status}\n{self._chart.log()}") from None

    def find(self, what: str) -> Object:
        """An object, as it is."""
        found: Object = json.loads(
            self._cluster.kubectl("get", what, f"--namespace={NAMESPACE}", "--output=json")
        )
        return found

    def _apply(self, manifest: Object) -> None:
        self._cluster.apply_manifest(json.dumps(manifest))
