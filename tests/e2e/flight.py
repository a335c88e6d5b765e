"""Everything an end-to-end test needs in one hand: a cluster, an AWS, an operator process, and a user's commands.

Nothing of it is pretended except the worker behind the endpoints, and that one says so (`stand_in_worker`).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import Any, TypeVar

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from e2e.live_objects import LiveObjects
from local_cluster.access import Cluster
from local_cluster.free_ports import free_port
from sagemaker_local.testing import LocalAws, environment_without_aws

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]
STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in_worker.py")]
SYSTEM_NAMESPACE = "avatar-system"
EVENTS_OF_CLUSTER_SCOPED = "default"
"""The namespace in which Kubernetes keeps the Events about what has none."""
SERVICE_ACCOUNT = "avatar-operator"
ROLE = "arn:aws:iam::123456789012:role/avatars"
BASE_SHA256 = "ab" * 32
DEADLINE_SECONDS = 120.0
Object = dict[str, Any]


def eventually(
    observe: Callable[[], T],
    wanted: Callable[[T], bool] = bool,
    *,
    what: str = "",
    seconds: float = DEADLINE_SECONDS,
) -> T:
    """Observe until it is as wanted; fails the test if that never happens within the seconds."""
    deadline = time.monotonic() + seconds
    while True:
        seen = observe()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, f"{what or 'it'} never came; last seen: {seen!r}"
        time.sleep(0.1)


class OperatorProcess:
    """The operator as a process of its own, logged in as its service account."""

    def __init__(self, directory: Path, kubeconfig: Path, aws: LocalAws, **settings: str) -> None:
        self._directory = directory
        self.port = free_port()
        self.trace = directory / "trace"
        self.told_aws = directory / "told-aws"
        self.crash_order = directory / "crash-order"
        self.log = directory / "operator.log"
        self.environment = {
            **environment_without_aws(),
            **aws.environment,
            "KUBECONFIG": str(kubeconfig),
            "AVATAR_OPERATOR_HTTP_HOST": "127.0.0.1",
            "AVATAR_OPERATOR_HTTP_PORT": str(self.port),
            "AVATAR_OPERATOR_IDENTITY": "the-only-one",
            "AVATAR_TEST_TRACE": str(self.trace),
            "AVATAR_TEST_TOLD_AWS": str(self.told_aws),
            "AVATAR_TEST_CRASH_ORDER": str(self.crash_order),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, str(Path(__file__).parent / "crashing_operator.py")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        eventually(self._ready, what="a ready operator")

    def order_crash(self, call: str, occurrence: int, when: str) -> None:
        """Have it die around a call that is to come."""
        pending = self.crash_order.with_suffix(".pending")
        pending.write_text(f"{call} {occurrence} {when}")
        pending.rename(self.crash_order)

    def withdraw_order(self) -> bool:
        """Take back an order; False if it was carried out already."""
        try:
            self.crash_order.unlink()
        except FileNotFoundError:
            return False
        return True

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it the hard way."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """End it the polite way; its exit code is returned."""
        return self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """Hold it wherever it is."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def thaw_and_wait(self) -> int:
        """Let it go on, and wait for its end; its exit code is returned."""
        return self._signal(signal.SIGCONT)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", trust_env=False).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def _ready(self) -> bool:
        assert self.is_running(), f"the operator ended:\n{self.log.read_text()[-3000:]}"
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _signal(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(timeout=30)


class Flight:
    """One test's tenant: a namespace, a bucket, topics, queues and a runtime of its own."""

    def __init__(self, cluster: Cluster, namespace: str, aws: LocalAws) -> None:
        self.cluster, self.namespace, self.aws = cluster, namespace, aws
        self._live = LiveObjects(cluster)
        self.name = f"f{uuid.uuid4().hex[:10]}"
        self.bucket = f"{self.name}-avatars"
        self.s3, self.sqs, self.sns = aws.client("s3"), aws.client("sqs"), aws.client("sns")
        self.s3.create_bucket(Bucket=self.bucket)
        policy = Template((REPOSITORY / "docs" / "iam" / "bucket-policy.json").read_text())
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy.substitute(AVATARS_BUCKET=self.bucket))
        self.succeeded, self.failed, self.status = (
            self.sns.create_topic(Name=f"{self.name}-{name}")["TopicArn"]
            for name in ("succeeded", "failed", f"status-{namespace}")
        )
        self.operator_queue = self._queue("operator", self.succeeded, self.failed)
        self.user_queue = self._queue("user", self.status)
        self._cloud_events: dict[str, Object] = {}
        """What the user's queue has received, by id."""

    def runtime_manifest(self, **spec: Any) -> Object:
        """An AvatarRuntime on the stand-in worker."""
        root = f"s3://{self.bucket}/"
        return {
            "apiVersion": "avatars.dev/v1alpha1",
            "kind": "AvatarRuntime",
            "metadata": {"name": self.name},
            "spec": {
                "backend": {
                    "sagemaker": {
                        "region": "us-east-1",
                        "executionRoleARN": ROLE,
                        "training": {"endpointName": f"{self.name}-training", "image": "stand-in"},
                        "inference": {"endpointName": f"{self.name}-inference", "image": "stand-in"},
                        "notifications": {
                            "successTopicARN": self.succeeded,
                            "errorTopicARN": self.failed,
                            "queueURL": self.operator_queue,
                        },
                    }
                },
                "baseModel": {"source": f"{root}base/", "sha256": BASE_SHA256},
                "storage": {
                    "requests": f"{root}requests/",
                    "artifacts": f"{root}artifacts/",
                    "outputs": f"{root}outputs/",
                    "allowed": {
                        "photos": [f"{root}photos/{{namespace}}/"],
                        "outputs": [f"{root}shared/{{namespace}}/"],
                    },
                },
                "tenancy": {"allowedNamespaces": [self.namespace]},
                "limits": {"training": {"backoffSeconds": 1, "maxAttempts": 2}},
                "notifications": {"statusTopicARN": self.status.replace(self.namespace, "{namespace}")},
                **spec,
            },
        }

    def model_manifest(self, name: str, *, token: str = "sks", **spec: Any) -> Object:  # noqa: S107  # a word in prompts
        """An AvatarModel of twelve photos."""
        return {
            "apiVersion": "avatars.dev/v1alpha1",
            "kind": "AvatarModel",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "runtimeRef": {"name": self.name},
                "photos": {"s3Prefix": self.photos_prefix},
                "subject": {"token": token},
                **spec,
            },
        }

    def request_manifest(self, name: str, model: str, **spec: Any) -> Object:
        """An AvatarRequest of six pictures: more than one invocation."""
        prompts = [
            {"prompt": "a photo of sks person", "numImages": 3},
            {"prompt": "sks person, blue", "numImages": 3},
        ]
        return {
            "apiVersion": "avatars.dev/v1alpha1",
            "kind": "AvatarRequest",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"modelRef": {"name": model}, "prompts": prompts, **spec},
        }

    @property
    def photos_prefix(self) -> str:
        """Where this tenant's photos are."""
        return f"s3://{self.bucket}/photos/{self.namespace}/ann/"

    def upload_photos(self, count: int = 12) -> None:
        """Put some bytes where photos are expected; the stand-in never opens them."""
        prefix = self.photos_prefix.removeprefix(f"s3://{self.bucket}/")
        for number in range(count):
            self.s3.put_object(Bucket=self.bucket, Key=f"{prefix}{number:02}.jpg", Body=b"photo %d" % number)

    def apply(self, *manifests: Object) -> None:
        """`kubectl apply` as a user."""
        self.cluster.apply_manifest(yaml.safe_dump_all(manifests))

    def get(self, kind: str, name: str) -> Object | None:
        """The object, or None."""
        return self._live.find(kind, self.namespace, name)

    def delete(self, kind: str, name: str) -> None:
        """`kubectl delete`, without waiting."""
        self.cluster.kubectl("delete", kind, name, "-n", self.namespace, "--wait=false", "--ignore-not-found")

    def remove_by_force(self, kind: str, name: str) -> None:
        """Take an object away at once, whatever its finalizers say."""
        self._live.remove_by_force(kind, self.namespace, name)

    def wait_for_state(self, kind: str, name: str, state: str) -> Object:
        """Wait for a state, and return the object that has it."""
        found = eventually(
            lambda: self.get(kind, name),
            lambda body: body is not None and body.get("status", {}).get("state") == state,
            what=f"{kind} {name} in state {state}",
        )
        assert found is not None
        return found

    def wait_for_runtime(self) -> None:
        """Wait until the tenant's runtime has its endpoints in service."""
        eventually(
            lambda: self.get("avrt", self.name),
            lambda body: body is not None and body.get("status", {}).get("state") == "Ready",
            what="endpoints in service",
        )

    def wait_until_gone(self, kind: str, name: str) -> None:
        """Wait until there is no such object."""
        eventually(lambda: self.get(kind, name), lambda body: body is None, what=f"the end of {kind} {name}")

    def stored_keys(self, prefix: str = "") -> list[str]:
        """Every key of the tenant's bucket below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def submissions(self, uid: str) -> list[str]:
        """Inference ids of the InvokeEndpointAsync calls that AWS saw for a model."""
        digits = uid.replace("-", "")
        calls = self.aws.calls(api="InvokeEndpointAsync")
        ids = [call["parameters"]["InferenceId"] for call in calls]
        return [inference_id for inference_id in ids if digits in inference_id]

    def events(self, name: str) -> list[Object]:
        """The Events about an object of the tenant's, or about its runtime."""
        namespace = EVENTS_OF_CLUSTER_SCOPED if name == self.name else self.namespace
        return [event for event in self._live.events(namespace) if event["regarding"]["name"] == name]

    def reasons(self, name: str, *, until: set[str]) -> set[str]:
        """The reasons of the Events about an object, once those that are waited for are among them."""
        return eventually(
            lambda: {event["reason"] for event in self.events(name)},
            until.issubset,
            what=f"the Events {until} about {name}",
        )

    def told_about(self, reason: str) -> set[str]:
        """The names of the tenant's objects that have an Event of this reason."""
        events = self._live.events(self.namespace)
        return {event["regarding"]["name"] for event in events if event["reason"] == reason}

    def told(self, *uids: str, until: set[str]) -> list[Object]:
        """The CloudEvents about some objects, each once, as soon as the types that are waited for are among them."""

        def received() -> list[Object]:
            self._receive()
            return [event for event in self._cloud_events.values() if event["data"]["object"]["uid"] in uids]

        return eventually(
            received,
            lambda events: until <= {event["type"] for event in events},
            what=f"the CloudEvents {until}",
        )

    def _receive(self) -> None:
        answer = self.sqs.receive_message(QueueUrl=self.user_queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            self._cloud_events[event["id"]] = event
            self.sqs.delete_message(QueueUrl=self.user_queue, ReceiptHandle=message["ReceiptHandle"])

    def lose_the_queue(self) -> None:
        """Delete the queue that the operator listens to, as somebody does who takes it for a leftover."""
        self.sqs.delete_queue(QueueUrl=self.operator_queue)

    def clean_up(self) -> None:
        """Take every object away whether or not an operator runs, so that the next test's operator sees none."""
        self._live.remove_all()
        self._live.close()

    def _queue(self, name: str, *topics: str) -> str:
        url: str = self.sqs.create_queue(QueueName=f"{self.name}-{name}")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        for topic in topics:
            self.sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=attributes["Attributes"]["QueueArn"],
                Attributes={"RawMessageDelivery": "true"},
            )
        return url


def install_control_plane(cluster: Cluster) -> Path:
    """Install CRDs and the operator's rights; its kubeconfig is returned."""
    cluster.apply_crds(REPOSITORY / "crds")
    rights = REPOSITORY / "charts" / "avatar-operator" / "files"
    cluster.apply(rights / "cluster-role.yaml")
    cluster.apply_manifest(yaml.safe_dump_all(_identity()))
    cluster.apply_manifest((rights / "role.yaml").read_text(), namespace=SYSTEM_NAMESPACE)
    return cluster.kubeconfig_for_service_account(SYSTEM_NAMESPACE, SERVICE_ACCOUNT)


def _identity() -> list[Mapping[str, Any]]:
    account = {"name": SERVICE_ACCOUNT, "namespace": SYSTEM_NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        _binding("ClusterRole", account, {}),
        _binding("Role", account, {"namespace": SYSTEM_NAMESPACE}),
    ]


def _binding(role_kind: str, account: Mapping[str, str], scope: Mapping[str, str]) -> Mapping[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": f"{role_kind}Binding",
        "metadata": {"name": "avatar-operator", **scope},
        "roleRef": {"apiGroup": group, "kind": role_kind, "name": "avatar-operator"},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }
