"""Status is a memory: whoever may write one draws with nobody else's model, stores nothing elsewhere and reads nothing by it.

The tenant here may do everything with our kinds in its own namespace, `/status` included, as a Role with `resources: ["*"]` says.
What such a tenant writes is never used; and where the chart's policy is, it is not even taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
import yaml

from avatar_api.group import FINALIZER
from avatar_operator.names import inference_id
from e2e.flight import REPOSITORY, Flight, Object, OperatorProcess, eventually
from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError

CHART = REPOSITORY / "charts" / "avatar-operator" / "files"
SECRET = b"the diary of somebody else"
USERNAME = "mallory"


class Forger:
    """A tenant who may write every part of its own objects, and uses it."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        group = "rbac.authorization.k8s.io"
        everything = {"apiGroups": ["avatars.dev"], "resources": ["*"], "verbs": ["*"]}
        placed = {"name": USERNAME, "namespace": flight.namespace}
        role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": placed, "rules": [everything]}
        binding = {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": placed,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": USERNAME},
            "subjects": [{"kind": "User", "apiGroup": group, "name": USERNAME}],
        }
        flight.apply(role, binding)

    def patch(self, kind: str, name: str, body: Object, *options: str) -> str:
        """A merge patch, as the tenant."""
        place = ("-n", self._flight.namespace, f"--as={USERNAME}")
        return self._flight.cluster.kubectl(
            "patch", kind, name, *place, "--type=merge", "-p", json.dumps(body), *options
        )

    def forge(self, kind: str, name: str, status: Object) -> None:
        """Write into a status."""
        self.patch(kind, name, {"status": status}, "--subresource=status")


@pytest.fixture
def forger(flight: Flight) -> Forger:
    """Whoever may write the statuses of the flight's namespace."""
    return Forger(flight)


def _condition_of(flight: Flight, kind: str, name: str, condition_type: str) -> tuple[str, str]:
    conditions = (flight.get(kind, name) or {}).get("status", {}).get("conditions", [])
    return next(
        ((each["status"], each["reason"]) for each in conditions if each["type"] == condition_type), ("", "")
    )


def test_a_model_that_names_anothers_artifact_has_none(
    flight: Flight, operator: OperatorProcess, cluster: Cluster, forger: Forger
) -> None:
    neighbour = f"{flight.namespace}-b"
    cluster.create_namespace(neighbour)
    victim = Flight(cluster, neighbour, flight.aws)
    photos = f"photos/{neighbour}/ann/"
    for number in range(12):
        flight.s3.put_object(Bucket=flight.bucket, Key=f"{photos}{number:02}.jpg", Body=b"photo")
    its_model = victim.model_manifest(
        "victim", runtimeRef={"name": flight.name}, photos={"s3Prefix": f"s3://{flight.bucket}/{photos}"}
    )
    both = {"allowedNamespaces": [flight.namespace, neighbour]}
    names = ("other-key", "way-back", "other-place")
    own_models = [flight.model_manifest(name) for name in names]
    flight.apply(flight.runtime_manifest(tenancy=both), its_model, *own_models)
    own = {name: flight.wait_for_state("avm", name, "Ready") for name in names}
    stolen = victim.wait_for_state("avm", "victim", "Ready")["status"]["artifact"]
    way_back = f"{flight.namespace}/{own['way-back']['metadata']['uid']}/../../{stolen['targetModel']}"
    forged = {
        "other-key": stolen,
        "way-back": {**stolen, "targetModel": way_back},
        "other-place": {**own["other-place"]["status"]["artifact"], "uri": stolen["uri"]},
    }

    for name in names:
        forger.forge("avm", name, {"artifact": forged[name]})
        forger.patch("avm", name, {"spec": {"deletionPolicy": "Retain"}})
    flight.apply(*(flight.request_manifest(f"theft-{name}", name) for name in names))

    for name in names:
        assert "StatusForeign" in flight.reasons(name, until={"StatusForeign"})
        # Until the operator has looked at the model, it is the request that sees through it.
        eventually(
            partial(_condition_of, flight, "avr", f"theft-{name}", "ModelResolved"),
            lambda said: said in (("False", "ArtifactForeign"), ("False", "ModelFailed")),
            what=f"a request for {name} that waits",
        )
        assert _condition_of(flight, "avm", name, "Hosted") == ("False", "ArtifactForeign")
        assert "artifact" not in (flight.get("avm", name) or {})["status"]
    assert flight.stored_keys("outputs/") == []


def test_a_request_draws_and_looks_nowhere_but_where_it_may_whatever_its_status_says(
    flight: Flight, operator: OperatorProcess, forger: Forger
) -> None:
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"))
    model = flight.wait_for_state("avm", "ann", "Ready")
    operator.stop()
    names = ("astray", "elsewhere", "nosy")
    flight.apply(*(flight.request_manifest(name, "ann") for name in names))
    artifact = model["status"]["artifact"]
    pinned = {
        "name": "ann",
        "uid": model["metadata"]["uid"],
        **{key: artifact[key] for key in ("revision", "targetModel", "uri", "sha256", "weightsSha256")},
    }
    begun = {"state": "Running", "model": pinned, "startTime": _now(), "runtimeName": flight.name}
    uids = {name: _uid(flight, "avr", name) for name in names}
    prefix = f"s3://{flight.bucket}/elsewhere"
    forger.forge("avr", "astray", {**begun, "storagePrefix": f"{prefix}/{uids['astray']}/"})
    home = f"{prefix}/{flight.namespace}/{uids['elsewhere']}/"
    forger.forge("avr", "elsewhere", {**begun, "storagePrefix": home})
    nosy = {**pinned, "uri": f"{flight.photos_prefix}00.jpg"}
    own = f"s3://{flight.bucket}/outputs/{flight.namespace}/{uids['nosy']}/"
    forger.forge("avr", "nosy", {**begun, "model": nosy, "storagePrefix": own})
    operator.start()

    astray = flight.wait_for_state("avr", "astray", "Succeeded")
    assert all(f"/outputs/{flight.namespace}/" in image["uri"] for image in astray["status"]["images"])
    assert "StatusForeign" in flight.reasons("astray", until={"StatusForeign"})
    refused = flight.wait_for_state("avr", "elsewhere", "Failed")
    assert refused["status"]["lastFailure"]["reason"] == "OutputNotAllowed"
    assert flight.stored_keys("elsewhere/") == []
    blind = flight.wait_for_state("avr", "nosy", "Failed")
    assert blind["status"]["lastFailure"]["reason"] == "ArtifactForeign"
    assert ".jpg" not in json.dumps(blind["status"]["conditions"])


def test_nothing_is_read_on_behalf_of_whoever_writes_its_place_into_a_status(
    flight: Flight, operator: OperatorProcess, forger: Forger
) -> None:
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    operator.stop()
    flight.s3.put_object(Bucket=flight.bucket, Key="private/diary", Body=SECRET)
    flight.apply(flight.model_manifest("ann"))
    training = {
        "revision": 1,
        "attempt": 1,
        "inferenceId": inference_id(_uid(flight, "avm", "ann"), 1, 1),
        "plannedTime": _now(),
        "submittedTime": _now(),
        "sagemaker": {
            "outputLocation": f"s3://{flight.bucket}/private/nothing",
            "failureLocation": f"s3://{flight.bucket}/private/diary",
        },
    }
    forger.forge("avm", "ann", {"state": "Training", "training": training})
    operator.start()

    assert "StatusForeign" in flight.reasons("ann", until={"StatusForeign"})
    told = [*flight.events("ann"), flight.get("avm", "ann")]
    assert SECRET.decode() not in json.dumps(told)
    assert flight.submissions(_uid(flight, "avm", "ann")) == []
    told_aws = operator.told_aws.read_text()
    assert f'"{flight.bucket}"' in told_aws
    assert "private/" not in told_aws


def _uid(flight: Flight, kind: str, name: str) -> str:
    body = flight.get(kind, name)
    assert body is not None
    uid: str = body["metadata"]["uid"]
    return uid


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def policy(flight: Flight, forger: Forger) -> Iterator[None]:
    """The chart's policy, in force until the test ends."""
    flight.apply(flight.model_manifest("canary", suspend=True))

    def is_refused() -> bool:
        try:
            forger.patch(
                "avm", "canary", {"status": {"state": "Ready"}}, "--subresource=status", "--dry-run=server"
            )
        except LocalClusterError:
            return True
        return False

    assert not is_refused()
    flight.cluster.apply(CHART / "status-policy.yaml")
    eventually(is_refused, what="the policy in force")
    yield
    flight.cluster.kubectl("delete", "validatingadmissionpolicybinding", "avatar-operator-status")
    eventually(lambda: not is_refused(), what="the end of the policy")


def test_where_the_policy_is_the_operator_alone_writes_status_and_finalizer(
    flight: Flight, operator: OperatorProcess, forger: Forger, policy: None
) -> None:
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"))
    flight.wait_for_state("avm", "ann", "Ready")
    flight.apply(flight.request_manifest("portraits", "ann"))
    flight.wait_for_state("avr", "portraits", "Succeeded")

    status = "status is written by the avatar operator alone"
    with pytest.raises(LocalClusterError, match=status):
        forger.forge("avm", "ann", {"artifact": {"targetModel": "anything"}})
    with pytest.raises(LocalClusterError, match=status):
        forger.forge("avr", "portraits", {"images": []})
    with pytest.raises(LocalClusterError, match=status):
        admin = ("patch", "avrt", flight.name, "--type=merge", "--subresource=status")
        flight.cluster.kubectl(*admin, "-p", '{"status": {"leftBehind": []}}')
    finalizer = f"the finalizer {FINALIZER} is added and taken away by the avatar operator alone"
    with pytest.raises(LocalClusterError, match=finalizer):
        forger.patch("avm", "ann", {"metadata": {"finalizers": None}})
    held = flight.model_manifest("held")
    held["metadata"]["finalizers"] = [FINALIZER]
    with pytest.raises(LocalClusterError, match=finalizer):
        flight.apply(held)

    forger.patch("avm", "ann", {"spec": {"deletionPolicy": "Delete", "suspend": True}})
    forger.patch("avr", "portraits", {"metadata": {"finalizers": [FINALIZER, "example.com/mine"]}})
    forger.patch("avr", "portraits", {"metadata": {"finalizers": [FINALIZER]}})
    for kind, name in (("avr", "portraits"), ("avm", "ann"), ("avm", "canary")):
        flight.cluster.kubectl(
            "delete", kind, name, "-n", flight.namespace, "--wait=false", f"--as={USERNAME}"
        )
        flight.wait_until_gone(kind, name)
    assert flight.stored_keys("outputs/") == []
    # The policy's end is seen by an object that it would refuse to change.
    flight.apply(flight.model_manifest("canary", suspend=True))


def test_the_roles_for_users_write_no_status_and_no_runtime(cluster: Cluster, namespace: str) -> None:
    cluster.apply(CHART / "user-roles.yaml")
    roles = {
        role["metadata"]["name"]: role["rules"]
        for role in yaml.safe_load_all((CHART / "user-roles.yaml").read_text())
    }
    assert roles.keys() == {"avatars-view", "avatars-edit", "avatars-admin"}
    for name in roles:
        cluster.kubectl(
            "create", "rolebinding", name, "-n", namespace, f"--clusterrole={name}", f"--user={name}"
        )

    def may(user: str, verb: str, resource: str, *options: str) -> bool:
        question = ("auth", "can-i", verb, resource, "-n", namespace, f"--as={user}")
        try:
            answer = cluster.kubectl(*question, *options)
        except LocalClusterError:
            return False
        return answer.strip().endswith("yes")

    for user, may_edit in (("avatars-view", False), ("avatars-edit", True)):
        assert may(user, "list", "avatarmodels.avatars.dev")
        assert [
            may(user, verb, "avatarrequests.avatars.dev") for verb in ("create", "patch", "delete")
        ] == 3 * [may_edit]
        assert not may(user, "patch", "avatarmodels.avatars.dev", "--subresource=status")
        assert not may(user, "update", "avatarruntimes.avatars.dev")
