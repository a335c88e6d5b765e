"""The chart and a real API server: what it accepts, what it refuses, and a release from its first day to its last.

The cluster is one of its own: what belongs to a whole cluster is Helm's here, and in the others it is the tests'.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import SIMULATED, model_manifest, request_manifest, runtime_manifest
from chart.api_schemas import LOCATION, write_schemas
from chart.rendering import CHART, NAMESPACE, RELEASE, Helm, nested
from chart.test_rendering import EVERYTHING
from local_cluster.chart_tools import ChartTools
from local_cluster.cluster import LocalCluster
from local_cluster.errors import LocalClusterError
from local_cluster.prometheus_operator import PrometheusOperator

OPERATOR = f"system:serviceaccount:{NAMESPACE}:avatar-operator"
FINALIZER = "avatars.dev/cleanup"
CRD = "crd/avatarmodels.avatars.dev"
TRIAL = {"matchLabels": {"tier": "trial"}}
LIMITS = nested(
    {
        "policies.runtimes.allowedInstanceTypes": ["ml.g5.xlarge"],
        "policies.limits": [
            {"name": "trial", "namespaceSelector": TRIAL, "maxPictures": 4, "maxTrainingSteps": 100}
        ],
    }
)


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, prometheus_operator: PrometheusOperator
) -> Iterator[LocalCluster]:
    with LocalCluster(
        tmp_path_factory.mktemp("cluster"), report=lambda line: print(line, file=sys.stderr)
    ) as cluster:
        for name, labels in (
            (NAMESPACE, {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}),
            ("team-a", {}),
            ("team-trial", TRIAL["matchLabels"]),
        ):
            apply(
                cluster,
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
            )
        for plural in ("servicemonitors", "podmonitors", "prometheusrules"):
            cluster.apply_manifest(prometheus_operator.definition(plural).read_text())
        # Nobody makes it here, for want of a controller-manager.
        cluster.kubectl("create", "serviceaccount", "default", f"--namespace={NAMESPACE}")
        yield cluster


@pytest.fixture(autouse=True)
def nothing_left(cluster: LocalCluster, helm: Helm) -> Iterator[None]:
    """No release after the test, whatever became of it."""
    yield
    in_cluster(helm, cluster, "uninstall", RELEASE, "--ignore-not-found")


@pytest.fixture
def release(nothing_left: None, cluster: LocalCluster, helm: Helm) -> None:
    """The chart, installed."""
    in_cluster(helm, cluster, "install", RELEASE, str(CHART), "--values=-", values=LIMITS)
    wait_until_guarded(cluster)


def in_cluster(
    helm: Helm, cluster: LocalCluster, *arguments: str, values: dict[str, Any] | None = None
) -> str:
    return helm.run(
        *arguments,
        f"--namespace={NAMESPACE}",
        f"--kubeconfig={cluster.admin_kubeconfig}",
        "--timeout=60s",
        values=values,
    )


def apply(cluster: LocalCluster, *objects: dict[str, Any]) -> None:
    cluster.apply_manifest(yaml.safe_dump_all(objects))


def eventually(said: Callable[[], str], wanted: str) -> str:
    """Ask until the answer has something in it: the API server heeds policies and publishes schemas some time after it has them.

    Returns:
        The answer.
    """
    deadline = time.monotonic() + 60
    while wanted not in (answer := said()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    return answer


def wait_until_guarded(cluster: LocalCluster) -> None:
    """Wait for the status policy, and for the ConfigMap that it looks at."""
    held = {
        **model_manifest(name="tried"),
        "metadata": model_with("tried", "team-a", finalizers=[FINALIZER])["metadata"],
    }
    eventually(lambda: tried(cluster, held), f"taken away by the avatar operator alone ({OPERATOR})")


def tried(cluster: LocalCluster, *objects: dict[str, Any]) -> str:
    """What the API server says of objects that it only pretends to take: its warnings, and nothing if there are none."""
    done = subprocess.run(
        [
            cluster.kubectl_program,
            f"--kubeconfig={cluster.admin_kubeconfig}",
            *("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--filename=-"),
        ],
        input=yaml.safe_dump_all(objects),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stderr


def test_the_api_server_takes_everything_and_warns_of_nothing(cluster: LocalCluster, helm: Helm) -> None:
    assert tried(cluster, *helm.render(EVERYTHING).all()) == ""


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
def test_the_api_server_takes_a_monitor_with_every_value_and_nothing_that_its_kind_has_not(
    cluster: LocalCluster, helm: Helm, kind: str
) -> None:
    switch = f"metrics.{kind[0].lower()}{kind[1:]}"
    relabeling = {"targetLabel": "zone", "replacement": "a"}
    values = {
        f"{switch}.enabled": True,
        f"{switch}.interval": "15s",
        f"{switch}.scrapeTimeout": "5s",
        f"{switch}.relabelings": [relabeling],
        f"{switch}.metricRelabelings": [{"action": "labeldrop", "regex": "x"}],
    }
    assert tried(cluster, helm.render(nested(values)).one(kind)) == ""
    misspelt = helm.render(nested({**values, f"{switch}.relabelings": [{**relabeling, "target": "zone"}]}))
    assert "relabelings[0].target: field not declared in schema" in tried(cluster, misspelt.one(kind))


def test_a_pod_that_is_not_restricted_would_be_noticed(cluster: LocalCluster, helm: Helm) -> None:
    objects = helm.render({"securityContext": {"allowPrivilegeEscalation": True}})
    assert "would violate PodSecurity" in tried(cluster, objects.one("Deployment"))
    assert "violates PodSecurity" in tried(cluster, objects.one("Pod"))


def test_every_object_has_only_fields_that_its_kind_has(
    cluster: LocalCluster, helm: Helm, tools: ChartTools, release: None, tmp_path: Path
) -> None:
    for group in ("avatars.dev/v1alpha1", "monitoring.coreos.com/v1"):
        eventually(lambda: cluster.kubectl("get", "--raw", "/openapi/v3"), f"apis/{group}")
    schemas = write_schemas(cluster, tmp_path / "schemas")
    assert {
        "apps/deployment_v1.json",
        "avatars.dev/avatarmodel_v1alpha1.json",
        "monitoring.coreos.com/servicemonitor_v1.json",
    } <= set(schemas)

    def complaints(*objects: dict[str, Any]) -> str:
        location = f"{tmp_path / 'schemas'}/{LOCATION}"
        done = subprocess.run(
            [tools.kubeconform, "-strict", "-schema-location", location, "-output", "json", "-"],
            input=yaml.safe_dump_all(objects),
            capture_output=True,
            text=True,
        )
        return "\n".join(
            each["msg"] for each in json.loads(done.stdout)["resources"] if each["status"] != "statusValid"
        )

    everything = helm.render(EVERYTHING).all()
    examples = [model_manifest(), request_manifest(), runtime_manifest()]
    assert complaints(*everything, *examples) == ""
    with_a_typing_error = helm.render().one("Deployment")
    with_a_typing_error["spec"]["template"]["spec"]["containers"][0]["imagePullPolicies"] = "Never"
    assert "imagePullPolicies" in complaints(with_a_typing_error)


def test_an_upgrade_upgrades_the_crds_and_a_release_comes_and_goes_with_living_objects(
    cluster: LocalCluster, helm: Helm, tmp_path: Path
) -> None:
    older = tmp_path / "avatar-operator"
    shutil.copytree(CHART, older)
    file = older / "files" / "crds" / "avatars.dev_avatarmodels.yaml"
    definition = yaml.safe_load(file.read_text())
    spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["suspend"]
    file.write_text(yaml.safe_dump(definition))
    in_cluster(helm, cluster, "install", RELEASE, str(older))
    path = "{.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.suspend.type}"
    assert cluster.kubectl("get", CRD, f"--output=jsonpath={path}") == ""
    cluster.kubectl("wait", "--for=condition=Established", CRD)
    wait_until_guarded(cluster)
    apply(cluster, model_manifest(name="lives"))
    hold(cluster, "lives")

    in_cluster(helm, cluster, "upgrade", RELEASE, str(CHART))
    assert cluster.kubectl("get", CRD, f"--output=jsonpath={path}") == "boolean"

    in_cluster(helm, cluster, "rollback", RELEASE, "1")
    in_cluster(helm, cluster, "uninstall", RELEASE)
    assert finalizers(cluster, "lives") == [FINALIZER]
    assert "not found" in answered(cluster, "get", "clusterrole", "avatar-operator")

    in_cluster(helm, cluster, "install", RELEASE, str(CHART))
    assert cluster.kubectl("get", CRD, f"--output=jsonpath={path}") == "boolean"
    assert finalizers(cluster, "lives") == [FINALIZER]
    in_cluster(helm, cluster, "uninstall", RELEASE)
    # Without the release nobody guards the finalizer any more, and a person may let the object go.
    let_go(cluster, "lives")
    cluster.kubectl("delete", "avatarmodel", "lives", "--namespace=team-a")


def test_an_uninstall_that_takes_the_crds_along_waits_for_no_object(
    cluster: LocalCluster, helm: Helm
) -> None:
    in_cluster(helm, cluster, "install", RELEASE, str(CHART), "--values=-", values={"crds": {"keep": False}})
    wait_until_guarded(cluster)
    apply(cluster, model_manifest(name="held"))
    hold(cluster, "held")

    in_cluster(helm, cluster, "uninstall", RELEASE)

    assert finalizers(cluster, "held") == [FINALIZER]
    let_go(cluster, "held")
    eventually(lambda: answered(cluster, "get", CRD), "not found")


def test_the_demo_comes_with_an_upgrade_and_its_runtime_stays(
    cluster: LocalCluster, helm: Helm, release: None
) -> None:
    in_cluster(
        helm, cluster, "upgrade", RELEASE, str(CHART), "--values=-", values={"demo": {"enabled": True}}
    )
    assert (
        cluster.kubectl("get", "avatarruntime", "demo", "--output=name") == "avatarruntime.avatars.dev/demo\n"
    )
    objects = helm.render(nested({"demo.enabled": True, "crds.enabled": False}))
    assert tried(cluster, objects.one("Deployment", "avatar-operator-aws")) == ""
    in_cluster(helm, cluster, "uninstall", RELEASE)
    cluster.kubectl("delete", "avatarruntime", "demo")


def test_a_second_installation_in_the_cluster_is_refused(
    cluster: LocalCluster, helm: Helm, release: None
) -> None:
    with pytest.raises(Exception, match="invalid ownership metadata"):
        in_cluster(helm, cluster, "install", "another", str(CHART))


def test_only_the_releases_account_writes_statuses(cluster: LocalCluster, release: None) -> None:
    apply(cluster, model_manifest(name="mine"))
    written = (
        *("patch", "avatarmodel", "mine", "--namespace=team-a", "--subresource=status"),
        *("--type=merge", '--patch={"status":{"observedGeneration":1}}'),
    )
    assert "written by the avatar operator alone" in answered(cluster, *written)
    as_operator(
        cluster, {**model_with("mine", "team-a"), "status": {"observedGeneration": 1}}, "--subresource=status"
    )
    cluster.kubectl("delete", "avatarmodel", "mine", "--namespace=team-a")


def test_an_instance_type_that_is_not_allowed_is_refused(cluster: LocalCluster, release: None) -> None:
    def runtime(instance_type: str) -> dict[str, Any]:
        endpoint = {"instanceType": instance_type}
        return runtime_manifest(
            spec={"backend": {"sagemaker": {"training": endpoint, "inference": endpoint}}}
        )

    said = eventually(
        lambda: tried(cluster, runtime("ml.p4d.24xlarge")),
        "spec.backend.sagemaker.training.instanceType: ml.p4d.24xlarge is not allowed",
    )
    assert "allowed: ml.g5.xlarge" in said
    assert tried(cluster, runtime("ml.g5.xlarge")) == ""
    assert tried(cluster, runtime_manifest(spec={"backend": SIMULATED})) == ""


def test_limits_hold_in_the_namespaces_that_are_meant_and_for_what_is_new(
    cluster: LocalCluster, helm: Helm
) -> None:
    many = request_manifest(namespace="team-trial", spec={"prompts": [{"prompt": "x", "numImages": 5}]})
    long = model_manifest(namespace="team-trial", spec={"training": {"steps": 101}})
    before = model_manifest(name="before", namespace="team-trial", spec={"training": {"steps": 101}})
    in_cluster(helm, cluster, "install", RELEASE, str(CHART))
    wait_until_guarded(cluster)
    apply(cluster, before)
    in_cluster(helm, cluster, "upgrade", RELEASE, str(CHART), "--values=-", values=LIMITS)

    eventually(lambda: tried(cluster, many), "5 pictures are more than the 4")
    eventually(lambda: tried(cluster, long), "101 are more than the 100")
    assert tried(cluster, {**many, "metadata": {"name": "m", "namespace": "team-a"}}) == ""
    assert tried(cluster, {**long, "metadata": {"name": "m", "namespace": "team-a"}}) == ""
    assert tried(cluster, model_manifest(namespace="team-trial")) == ""
    # What was there before can still be held, let go and deleted.
    hold(cluster, "before", namespace="team-trial")
    as_operator(cluster, model_with("before", "team-trial"))
    cluster.kubectl("delete", "avatarmodel", "before", "--namespace=team-trial")


def as_operator(cluster: LocalCluster, written: dict[str, Any], *options: str) -> None:
    """Write a part of an object with the operator's rights, which do not let it get one (`kubectl patch` would)."""
    cluster.kubectl(
        *("apply", "--server-side", "--field-manager=operator", f"--as={OPERATOR}", *options, "--filename=-"),
        standard_input=json.dumps(written),
    )


def model_with(name: str, namespace: str, **metadata: Any) -> dict[str, Any]:
    model = model_manifest(name=name, namespace=namespace)
    return {
        "apiVersion": model["apiVersion"],
        "kind": model["kind"],
        "metadata": {"name": name, "namespace": namespace, **metadata},
    }


def hold(cluster: LocalCluster, name: str, namespace: str = "team-a") -> None:
    """Add the finalizer, as the operator does."""
    as_operator(cluster, model_with(name, namespace, finalizers=[FINALIZER]))


def let_go(cluster: LocalCluster, name: str) -> None:
    """Take the finalizer away as a person does, once no policy guards it any more."""
    taken = (
        *("patch", "avatarmodel", name, "--namespace=team-a"),
        *("--type=merge", '--patch={"metadata":{"finalizers":[]}}'),
    )
    eventually(lambda: answered(cluster, *taken), "patched")


def finalizers(cluster: LocalCluster, name: str) -> list[str]:
    found = cluster.kubectl("get", "avatarmodel", name, "--namespace=team-a", "--output=json")
    return list(json.loads(found)["metadata"]["finalizers"])


def answered(cluster: LocalCluster, *arguments: str) -> str:
    """What kubectl says, whether it was refused or not."""
    try:
        return cluster.kubectl(*arguments)
    except LocalClusterError as refused:
        return str(refused)
