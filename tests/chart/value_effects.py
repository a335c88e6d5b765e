"""What each value of the chart does: where in the rendered objects it is seen, and what is seen there.

`given` are other values without which it has no effect, such as the switch of the object that it is a part of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chart.rendering import NAMESPACE, Objects

DIGEST = f"sha256:{'0' * 64}"
SELECTOR = {"matchLabels": {"tier": "trial"}}
DASHBOARD = {"title": "One", "panels": [{"targets": [{"legendFormat": "{{ namespace }}"}]}]}


@dataclass(frozen=True)
class Effect:
    """What a value does.

    Attributes:
        value: another one than the default.
        seen: looks at the rendered objects.
        expected: what is seen with the value; something else is seen without it.
        given: other values, by path, both with and without it.
    """

    value: Any
    seen: Callable[[Objects], Any]
    expected: Any
    given: Mapping[str, Any] = field(default_factory=dict)


def _in_pod(key: str, value: Any) -> Effect:
    return Effect(value, lambda objects: objects.pod().get(key), value)


def _in_container(key: str, value: Any) -> Effect:
    return Effect(value, lambda objects: objects.container().get(key), value)


def _in_deployment(key: str, value: Any) -> Effect:
    return Effect(value, lambda objects: objects.one("Deployment")["spec"][key], value)


def _probe(key: str, path: str) -> Effect:
    expected = {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": 77,
        "failureThreshold": 9,
    }
    return Effect(
        {"periodSeconds": 77, "failureThreshold": 9}, lambda objects: objects.container()[key], expected
    )


def _variable(name: str, value: Any, expected: str) -> Effect:
    return Effect(value, lambda objects: objects.variable(name), expected)


def _setting(name: str, value: Any) -> Effect:
    return _variable(f"AVATAR_OPERATOR_{name}", value, str(value))


def _count(kind: str, value: bool, expected: int, **given: Any) -> Effect:
    return Effect(value, lambda objects: len(objects.of(kind)), expected, given)


def _monitor(kind: str, switch: str, endpoints: str) -> dict[str, Effect]:
    on = {f"{switch}.enabled": True}

    def endpoint(key: str, value: Any) -> Effect:
        return Effect(value, lambda objects: objects.one(kind)["spec"][endpoints][0].get(key), value, on)

    return {
        f"{switch}.enabled": Effect(True, lambda objects: len(objects.of(kind)), 1),
        f"{switch}.additionalLabels": Effect(
            {"release": "kps"},
            lambda objects: objects.one(kind)["metadata"]["labels"].get("release"),
            "kps",
            on,
        ),
        f"{switch}.interval": endpoint("interval", "15s"),
        f"{switch}.scrapeTimeout": endpoint("scrapeTimeout", "5s"),
        f"{switch}.relabelings": endpoint("relabelings", [{"targetLabel": "zone", "replacement": "a"}]),
        f"{switch}.metricRelabelings": endpoint("metricRelabelings", [{"action": "labeldrop", "regex": "x"}]),
    }


def _policies(prefix: str) -> Callable[[Objects], list[str]]:
    return lambda objects: sorted(
        policy["metadata"]["name"]
        for policy in objects.of("ValidatingAdmissionPolicy")
        if policy["metadata"]["name"].startswith(prefix)
    )


def _label(objects: Objects) -> set[Any]:
    return {each["metadata"].get("labels", {}).get("team") for each in objects.all() if each["kind"] != "Pod"}


def _network(objects: Objects) -> dict[str, Any]:
    found: dict[str, Any] = objects.one("NetworkPolicy")["spec"]
    return found


def _rules(objects: Objects) -> list[dict[str, Any]]:
    groups = objects.one("PrometheusRule")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


_NETWORK = {"networkPolicy.enabled": True}
_ALERTS = {"metrics.prometheusRule.enabled": True}
_DASHBOARDS = {"metrics.dashboards.enabled": True}


def _dashboard(objects: Objects) -> dict[str, Any]:
    found = [each for each in objects.of("ConfigMap") if "-dashboard-" in each["metadata"]["name"]]
    return dict(found[0]["metadata"]) if found else {}


_DEMO = {"demo.enabled": True, "crds.enabled": False}


def _aws(objects: Objects) -> dict[str, Any]:
    (found,) = objects.one("Deployment", "avatar-operator-aws")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def _of_aws(key: str, value: Any) -> Effect:
    return Effect(value, lambda objects: _aws(objects)[key], value, _DEMO)


def _image_of_aws(value: str, expected: str, **given: str) -> Effect:
    in_demo = {f"demo.sagemakerLocal.image.{name}": each for name, each in given.items()}
    return Effect(value, lambda objects: _aws(objects)["image"], expected, {**_DEMO, **in_demo})


def _leads_to(objects: Objects) -> Any:
    return objects.variable("AWS_ENDPOINT_URL")


EFFECTS: dict[str, Effect] = {
    "global.imageRegistry": Effect(
        "registry.example",
        lambda objects: objects.container()["image"],
        "registry.example/avatar-operator:0.1.0",
    ),
    "global.imagePullSecrets": Effect(
        ["shared"],
        lambda objects: objects.pod().get("imagePullSecrets"),
        [{"name": "shared"}, {"name": "own"}],
        {"imagePullSecrets": ["own"]},
    ),
    "nameOverride": Effect(
        "pictures", lambda objects: objects.one("Deployment")["metadata"]["name"], "avatar-operator-pictures"
    ),
    "fullnameOverride": Effect(
        "pictures", lambda objects: objects.one("Deployment")["metadata"]["name"], "pictures"
    ),
    "commonLabels": Effect({"team": "studio"}, _label, {"studio"}),
    "image.registry": Effect(
        "own.example",
        lambda objects: objects.container()["image"],
        "own.example/avatar-operator:0.1.0",
        {"global.imageRegistry": "registry.example"},
    ),
    "image.repository": Effect("a/b", lambda objects: objects.container()["image"], "a/b:0.1.0"),
    "image.tag": Effect("v9", lambda objects: objects.container()["image"], "avatar-operator:v9"),
    "image.digest": Effect(
        DIGEST, lambda objects: objects.container()["image"], f"avatar-operator@{DIGEST}", {"image.tag": "v9"}
    ),
    "image.pullPolicy": _in_container("imagePullPolicy", "Never"),
    "imagePullSecrets": Effect(
        ["own"], lambda objects: objects.pod().get("imagePullSecrets"), [{"name": "own"}]
    ),
    "replicas": _in_deployment("replicas", 3),
    "crds.enabled": _count("CustomResourceDefinition", False, 0),
    "crds.keep": Effect(
        False,
        lambda objects: [
            each["metadata"].get("annotations") for each in objects.of("CustomResourceDefinition")
        ],
        [None, None, None],
    ),
    "watchNamespaces": Effect(
        ["team-a", "team-b"],
        lambda objects: (
            objects.variable("AVATAR_OPERATOR_WATCH_NAMESPACES"),
            [role["metadata"]["namespace"] for role in objects.of("Role")],
            [binding["metadata"]["namespace"] for binding in objects.of("RoleBinding")],
        ),
        ("team-a,team-b", *[["team-a", "team-b", "default", NAMESPACE]] * 2),
    ),
    "rbac.create": Effect(
        False,
        lambda objects: [*objects.of("Role"), *objects.of("RoleBinding"), *objects.of("ClusterRoleBinding")],
        [],
    ),
    "userRoles.create": _count("ClusterRole", False, 1),
    "serviceAccount.create": _count("ServiceAccount", False, 0),
    "serviceAccount.name": Effect(
        "painter",
        lambda objects: [
            objects.one("ServiceAccount")["metadata"]["name"],
            objects.pod()["serviceAccountName"],
            objects.one("ClusterRoleBinding")["subjects"][0]["name"],
            objects.one("RoleBinding")["subjects"][0]["name"],
            objects.one("ValidatingAdmissionPolicy")["spec"]["variables"][0]["expression"],
        ],
        [*["painter"] * 4, f"'system:serviceaccount:{NAMESPACE}:painter'"],
    ),
    "serviceAccount.annotations": Effect(
        {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/x"},
        lambda objects: objects.one("ServiceAccount")["metadata"].get("annotations"),
        {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/x"},
    ),
    "policies.status.enabled": Effect(False, _policies("avatar-operator-status"), []),
    "policies.runtimes.allowedInstanceTypes": Effect(
        ["ml.g5.xlarge"], _policies("avatar-operator-instance"), ["avatar-operator-instance-types"]
    ),
    "policies.limits": Effect(
        [{"name": "trial", "namespaceSelector": SELECTOR, "maxPictures": 4, "maxTrainingSteps": 100}],
        lambda objects: (
            _policies("avatar-operator-pictures")(objects) + _policies("avatar-operator-steps")(objects)
        ),
        ["avatar-operator-pictures-trial", "avatar-operator-steps-trial"],
    ),
    "operator.httpHost": _setting("HTTP_HOST", "127.0.0.1"),
    "operator.httpPort": Effect(
        9090,
        lambda objects: [
            objects.variable("AVATAR_OPERATOR_HTTP_PORT"),
            objects.container()["ports"][0]["containerPort"],
            _network(objects)["ingress"][0]["ports"][0]["port"],
        ],
        ["9090", 9090, 9090],
        _NETWORK,
    ),
    "operator.namespace": Effect(
        "leases",
        lambda objects: [
            objects.variable("AVATAR_OPERATOR_NAMESPACE"),
            objects.one("Role")["metadata"]["namespace"],
            objects.one("RoleBinding")["metadata"]["namespace"],
        ],
        ["leases"] * 3,
    ),
    "operator.identity": _setting("IDENTITY", "the-one"),
    "operator.leaseSeconds": _setting("LEASE_SECONDS", 30),
    "operator.drainSeconds": _setting("DRAIN_SECONDS", 12.5),
    "operator.modelWorkers": _setting("MODEL_WORKERS", 3),
    "operator.requestWorkers": _setting("REQUEST_WORKERS", 3),
    "operator.runtimeWorkers": _setting("RUNTIME_WORKERS", 3),
    "operator.startUpSeconds": _setting("START_UP_SECONDS", 3),
    "operator.sweepSeconds": _setting("SWEEP_SECONDS", 3),
    "operator.staleWatchSeconds": _setting("STALE_WATCH_SECONDS", 3),
    "operator.stuckSeconds": _setting("STUCK_SECONDS", 3),
    "operator.logFormat": _setting("LOG_FORMAT", "console"),
    "operator.logLevel": _setting("LOG_LEVEL", "debug"),
    "aws.region": _variable("AWS_DEFAULT_REGION", "eu-west-1", "eu-west-1"),
    "aws.endpointUrl": _variable("AWS_ENDPOINT_URL", "http://aws:4566", "http://aws:4566"),
    "extraEnv": _variable("EXTRA", [{"name": "EXTRA", "value": "1"}], "1"),
    "extraEnvFrom": _in_container("envFrom", [{"configMapRef": {"name": "x"}}]),
    "extraVolumes": Effect(
        [{"name": "x", "emptyDir": {}}],
        lambda objects: objects.pod().get("volumes"),
        [{"name": "x", "emptyDir": {}}],
    ),
    "extraVolumeMounts": _in_container("volumeMounts", [{"name": "x", "mountPath": "/x"}]),
    "extraContainers": Effect(
        [{"name": "beside", "image": "x"}],
        lambda objects: [each["name"] for each in objects.pod()["containers"]],
        ["operator", "beside"],
    ),
    "initContainers": _in_pod("initContainers", [{"name": "before", "image": "x"}]),
    "deploymentAnnotations": Effect(
        {"a": "b"}, lambda objects: objects.one("Deployment")["metadata"].get("annotations"), {"a": "b"}
    ),
    "podAnnotations": Effect(
        {"a": "b"},
        lambda objects: objects.one("Deployment")["spec"]["template"]["metadata"]["annotations"].get("a"),
        "b",
    ),
    "podLabels": Effect(
        {"a": "b"},
        lambda objects: objects.one("Deployment")["spec"]["template"]["metadata"]["labels"].get("a"),
        "b",
    ),
    "podSecurityContext": Effect(
        {"fsGroup": 7},
        lambda objects: objects.pod()["securityContext"],
        {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 7},
    ),
    "securityContext": Effect(
        {"runAsUser": 7}, lambda objects: objects.container()["securityContext"].get("runAsUser"), 7
    ),
    "resources": Effect(
        {"limits": {"memory": "2Gi"}},
        lambda objects: objects.container()["resources"]["limits"],
        {"memory": "2Gi"},
    ),
    "startupProbe": _probe("startupProbe", "/healthz"),
    "livenessProbe": _probe("livenessProbe", "/healthz"),
    "readinessProbe": _probe("readinessProbe", "/readyz"),
    "strategy": Effect(
        {"type": "Recreate", "rollingUpdate": None},
        lambda objects: objects.one("Deployment")["spec"]["strategy"],
        {"type": "Recreate"},
    ),
    "minReadySeconds": _in_deployment("minReadySeconds", 5),
    "revisionHistoryLimit": _in_deployment("revisionHistoryLimit", 9),
    "terminationGracePeriodSeconds": _in_pod("terminationGracePeriodSeconds", 60),
    "nodeSelector": _in_pod("nodeSelector", {"disk": "fast"}),
    "tolerations": _in_pod("tolerations", [{"operator": "Exists"}]),
    "affinity": _in_pod("affinity", {"nodeAffinity": {}}),
    "topologySpreadConstraints": _in_pod(
        "topologySpreadConstraints", [{"topologyKey": "rack", "maxSkew": 1}]
    ),
    "priorityClassName": _in_pod("priorityClassName", "system-cluster-critical"),
    "runtimeClassName": _in_pod("runtimeClassName", "gvisor"),
    "schedulerName": _in_pod("schedulerName", "own"),
    "dnsPolicy": _in_pod("dnsPolicy", "Default"),
    "dnsConfig": _in_pod("dnsConfig", {"searches": ["x"]}),
    "hostAliases": _in_pod("hostAliases", [{"ip": "10.0.0.1", "hostnames": ["x"]}]),
    "podDisruptionBudget.enabled": _count("PodDisruptionBudget", False, 0),
    "podDisruptionBudget.maxUnavailable": Effect(
        "50%", lambda objects: objects.one("PodDisruptionBudget")["spec"]["maxUnavailable"], "50%"
    ),
    "networkPolicy.enabled": _count("NetworkPolicy", True, 1),
    "networkPolicy.apiServerPorts": Effect(
        [16443],
        lambda objects: _network(objects)["egress"][1]["ports"],
        [{"port": 16443, "protocol": "TCP"}],
        _NETWORK,
    ),
    "networkPolicy.metricsFrom": Effect(
        [{"podSelector": {}}],
        lambda objects: _network(objects)["ingress"][0].get("from", [])[:1],
        [{"podSelector": {}}],
        _NETWORK,
    ),
    "networkPolicy.extraEgress": Effect(
        [{"ports": [{"port": 4566}]}],
        lambda objects: _network(objects)["egress"][-1],
        {"ports": [{"port": 4566}]},
        _NETWORK,
    ),
    "metrics.service.enabled": _count("Service", False, 0),
    "metrics.service.port": Effect(
        80, lambda objects: objects.one("Service")["spec"]["ports"][0]["port"], 80
    ),
    "metrics.service.annotations": Effect(
        {"a": "b"}, lambda objects: objects.one("Service")["metadata"].get("annotations"), {"a": "b"}
    ),
    **_monitor("ServiceMonitor", "metrics.serviceMonitor", "endpoints"),
    **_monitor("PodMonitor", "metrics.podMonitor", "podMetricsEndpoints"),
    "metrics.prometheusRule.enabled": _count("PrometheusRule", True, 1),
    "metrics.prometheusRule.additionalLabels": Effect(
        {"release": "kps"},
        lambda objects: objects.one("PrometheusRule")["metadata"]["labels"].get("release"),
        "kps",
        _ALERTS,
    ),
    "metrics.prometheusRule.runbookBaseUrl": Effect(
        "https://git.example/avatars/blob/main/",
        lambda objects: {
            rule["annotations"]["runbook_url"].removesuffix(f"/docs/runbooks/{rule['alert']}.md")
            for rule in _rules(objects)
        },
        {"https://git.example/avatars/blob/main"},
        _ALERTS,
    ),
    "metrics.dashboards.enabled": Effect(True, lambda objects: bool(_dashboard(objects)), True),
    "metrics.dashboards.labelName": Effect(
        "dashboard", lambda objects: _dashboard(objects)["labels"].get("dashboard"), "1", _DASHBOARDS
    ),
    "metrics.dashboards.labelValue": Effect(
        "yes", lambda objects: _dashboard(objects)["labels"].get("grafana_dashboard"), "yes", _DASHBOARDS
    ),
    "metrics.dashboards.annotations": Effect(
        {"grafana_folder": "Avatars"},
        lambda objects: _dashboard(objects).get("annotations"),
        {"grafana_folder": "Avatars"},
        _DASHBOARDS,
    ),
    "demo.enabled": Effect(
        True, lambda objects: len(objects.of("AvatarRuntime")), 1, {"crds.enabled": False}
    ),
    "demo.runtime.name": Effect(
        "trial", lambda objects: objects.one("AvatarRuntime")["metadata"]["name"], "trial", _DEMO
    ),
    "demo.runtime.spec": Effect(
        {"backend": {"simulated": {"trainingSeconds": 1}}},
        lambda objects: objects.one("AvatarRuntime")["spec"]["backend"],
        {"simulated": {"trainingSeconds": 1}},
        _DEMO,
    ),
    "demo.sagemakerLocal.enabled": Effect(
        False, lambda objects: (_leads_to(objects), len(objects.of("Deployment"))), (None, 1), _DEMO
    ),
    "demo.sagemakerLocal.image.registry": _image_of_aws("r.example", "r.example/sagemaker-local:0.1.0"),
    "demo.sagemakerLocal.image.repository": _image_of_aws("a/b", "a/b:0.1.0"),
    "demo.sagemakerLocal.image.tag": _image_of_aws("v9", "sagemaker-local:v9"),
    "demo.sagemakerLocal.image.digest": _image_of_aws(DIGEST, f"sagemaker-local@{DIGEST}", tag="v9"),
    "demo.sagemakerLocal.image.pullPolicy": _of_aws("imagePullPolicy", "Never"),
    "demo.sagemakerLocal.args": Effect(
        ["--verbose"], lambda objects: _aws(objects)["args"][-1], "--verbose", _DEMO
    ),
    "demo.sagemakerLocal.extraVolumes": Effect(
        [{"name": "workers", "persistentVolumeClaim": {"claimName": "workers"}}],
        lambda objects: objects.one("Deployment", "avatar-operator-aws")["spec"]["template"]["spec"][
            "volumes"
        ][-1],
        {"name": "workers", "persistentVolumeClaim": {"claimName": "workers"}},
        _DEMO,
    ),
    "demo.sagemakerLocal.extraVolumeMounts": Effect(
        [{"name": "workers", "mountPath": "/workers"}],
        lambda objects: _aws(objects)["volumeMounts"][-1],
        {"name": "workers", "mountPath": "/workers"},
        _DEMO,
    ),
    "demo.sagemakerLocal.resources": Effect(
        {"limits": {"memory": "4Gi"}},
        lambda objects: _aws(objects)["resources"]["limits"],
        {"memory": "4Gi"},
        _DEMO,
    ),
    "extraObjects": Effect(
        [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map-{{ .Release.Name }}"}},
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: text-{{ .Release.Name }}\n",
        ],
        lambda objects: sorted(
            each["metadata"]["name"]
            for each in objects.of("ConfigMap")
            if each["metadata"]["name"].startswith(("map", "text"))
        ),
        ["map-avatar-operator", "text-avatar-operator"],
    ),
}
