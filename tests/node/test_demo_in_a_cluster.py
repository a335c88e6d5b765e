"""The chart's demo on a real node: sagemaker-local in a restricted Pod, with the workers of this checkout, and the operator at it.

What comes after the training was begun is `make cluster-demo`, which takes minutes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from avatar_demo.aws_account import AwsAccount, set_up_account
from avatar_demo.example import apply_example, example_photos, load_example, upload_photos
from avatar_demo.settings import BASE_MODEL, EXAMPLE
from builders.chart_on_a_node import ChartOnANode
from builders.pods import ClusterWithPods
from chart.rendering import NAMESPACE
from cluster_demo.mounted_workers import chart_values, manifest, mounted_folders
from cluster_demo.node_images import import_image, write_image
from local_cluster.errors import LocalClusterError

pytestmark = pytest.mark.node
_AWS = "avatar-operator-aws"
_PATIENT_SECONDS = 200.0


@pytest.fixture(scope="module")
def demo(
    installed_chart: ChartOnANode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClusterWithPods]:
    """The chart's demo, installed as `make cluster-demo` does it."""
    cluster = installed_chart.cluster
    import_image(cluster, write_image("sagemaker-local", tmp_path_factory.mktemp("sagemaker-local")))
    folders = mounted_folders()
    cluster.apply_manifest(manifest(folders, NAMESPACE))
    values: dict[str, Any] = {"demo": {"enabled": True, "sagemakerLocal": chart_values(folders)}}
    installed_chart.apply(values=values)
    address = cluster.kubectl(
        "get", "service", _AWS, f"--namespace={NAMESPACE}", "--output=jsonpath={.spec.clusterIP}"
    )
    installed_chart.apply(values={**values, "hostAliases": [{"ip": address, "hostnames": [_AWS]}]})
    yield cluster
    # First what lives, while there are an operator and an AWS to clean up with.
    cluster.kubectl("delete", "avatarrequests,avatarmodels", "--all", "--all-namespaces", "--timeout=110s")
    cluster.kubectl("delete", "avatarruntimes", "--all", "--timeout=110s")
    cluster.kubectl("delete", "-f", "-", "--wait=false", standard_input=manifest(folders, NAMESPACE))


def test_the_runtime_that_the_chart_brings_is_ready(demo: ClusterWithPods) -> None:
    wait(demo, "avatarruntime/demo", "--for=condition=Ready")


def test_its_aws_runs_without_rights_and_the_operator_trains_there(demo: ClusterWithPods) -> None:
    found = demo.kubectl(
        "get",
        "pods",
        f"--namespace={NAMESPACE}",
        "--selector=app.kubernetes.io/name=sagemaker-local",
        "--output=json",
    )
    (pod,) = json.loads(found)["items"]
    assert {"type": "Ready", "status": "True"}.items() <= _condition(pod, "Ready").items()
    aws = AwsAccount(f"http://{pod['status']['podIP']}:4566")
    example = load_example(EXAMPLE, set_up_account(aws, BASE_MODEL, "demo").placeholders())
    upload_photos(aws, example.photos_prefix, example_photos())
    demo.create_namespace(example.namespace)

    apply_example(demo, example)

    runtime, model = example.runtime.metadata.name, example.model.metadata.name
    wait(demo, f"avatarruntime/{runtime}", "--for=condition=Ready")
    # Its photos were found, by S3 at the name that the chart has for the operator, and the worker reports.
    wait(
        demo,
        f"avatarmodel/{model}",
        f"--namespace={example.namespace}",
        "--for=jsonpath={.status.training.progress}",
    )


def wait(cluster: ClusterWithPods, *what: str) -> None:
    """`kubectl wait`, for as long as two processes may take to import torch beside a suite that leaves them no core."""
    deadline = time.monotonic() + _PATIENT_SECONDS
    while True:
        try:
            cluster.kubectl("wait", *what, "--timeout=30s")
        except LocalClusterError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def _condition(found: dict[str, Any], kind: str) -> dict[str, Any]:
    (condition,) = [each for each in found["status"]["conditions"] if each["type"] == kind]
    return dict(condition)
