"""How the kinds show themselves: columns, short names, the category, selectable fields, the status subresource."""

import uuid
from collections.abc import Iterator

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_api.meta import Cost
from builders import model_stages
from builders.api_objects import ApiObjects, Refused
from builders.manifests import Manifest, model_manifest, request_manifest, runtime_manifest
from builders.objects import MODEL_UID, a_condition
from local_cluster.access import Cluster

COST = Cost(amount="0.31", currency="USD", instance_type="ml.g5.xlarge")


@pytest.fixture
def ready_model(api: ApiObjects, namespace: str) -> Manifest:
    """A hosted model."""
    manifest = model_manifest(namespace=namespace)
    api.create(manifest)
    hosted = model_stages.hosted()
    ready = a_condition("Ready", "True", "Ready", "Serving revision 1.")
    status = hosted.model_copy(update={"state": "Ready", "conditions": [*hosted.conditions, ready]})
    api.change_status(manifest, status.to_wire())
    api.change_status(manifest, {"training": {"estimatedCost": COST.to_wire()}})
    return manifest


@pytest.fixture
def training_model(api: ApiObjects, namespace: str) -> Manifest:
    """A model that is half trained."""
    manifest = model_manifest(name="bob", namespace=namespace)
    api.create(manifest)
    status = model_stages.submitted().to_wire() | {"state": "Training"}
    api.change_status(manifest, status)
    api.change_status(manifest, {"training": {"progress": {"step": 50, "totalSteps": 100, "percent": 50}}})
    return manifest


@pytest.fixture
def runtime(api: ApiObjects) -> Iterator[Manifest]:
    """A runtime in service."""
    manifest = runtime_manifest(name=f"test-{uuid.uuid4().hex[:12]}")
    api.create(manifest)
    status = AvatarRuntimeStatus(
        state="Ready", conditions=[a_condition("Ready", "True", "InService", "All is well.")]
    )
    api.change_status(manifest, status.to_wire())
    yield manifest
    api.delete(manifest)


def _table(cluster: Cluster, *arguments: str) -> list[list[str]]:
    """What `kubectl get` prints, without the age, which is never the same."""
    lines = cluster.kubectl("get", *arguments).splitlines()
    return [line.split() for line in lines]


def test_a_model_shows_state_readiness_progress_and_reason(
    installed: Cluster, namespace: str, ready_model: Manifest, training_model: Manifest
) -> None:
    header, *rows = _table(installed, "avm", f"--namespace={namespace}")

    assert header == ["NAME", "STATE", "READY", "PROGRESS", "REASON", "AGE"]
    assert rows[0][:4] == ["ann", "Ready", "True", "Ready"]
    assert rows[1][:3] == ["bob", "Training", "50"]


def test_the_wide_table_of_models_shows_runtime_revision_artifact_and_message(
    installed: Cluster, namespace: str, ready_model: Manifest
) -> None:
    header, row = _table(installed, "avm", f"--namespace={namespace}", "--output=wide")

    assert header == [
        "NAME",
        "STATE",
        "READY",
        "PROGRESS",
        "REASON",
        "RUNTIME",
        "REVISION",
        "ARTIFACT",
        "COST",
        "MESSAGE",
        "AGE",
    ]
    assert row[:-1] == [
        "ann",
        "Ready",
        "True",
        "Ready",
        "standard",
        "1",
        f"team-a/{MODEL_UID}/r1-a1.tar.gz",
        "0.31",
        "Serving",
        "revision",
        "1.",
    ]


def test_a_request_shows_state_success_model_and_reason(
    installed: Cluster, api: ApiObjects, namespace: str
) -> None:
    manifest = request_manifest(namespace=namespace)
    api.create(manifest)
    status = AvatarRequestStatus(state="Running", conditions=[a_condition("Succeeded", "Unknown", "Drawing")])
    api.change_status(manifest, status.to_wire())

    header, row = _table(installed, "avr", f"--namespace={namespace}")

    assert header == ["NAME", "STATE", "SUCCEEDED", "MODEL", "REASON", "AGE"]
    assert row[:-1] == ["portraits", "Running", "Unknown", "ann", "Drawing"]


def test_a_runtime_shows_state_readiness_policy_and_reason(installed: Cluster, runtime: Manifest) -> None:
    name = runtime["metadata"]["name"]

    header, row = _table(installed, "avrt", name)

    assert header == ["NAME", "STATE", "READY", "POLICY", "REASON", "AGE"]
    assert row[:-1] == [name, "Ready", "True", "Manage", "InService"]


def test_the_category_shows_every_kind_of_ours_and_nothing_else(
    installed: Cluster, api: ApiObjects, namespace: str, ready_model: Manifest
) -> None:
    api.create(request_manifest(namespace=namespace))

    names = installed.kubectl("get", "avatars", f"--namespace={namespace}", "--output=name").split()

    assert {name.split("/")[0] for name in names} <= {
        "avatarmodel.avatars.dev",
        "avatarrequest.avatars.dev",
        "avatarruntime.avatars.dev",
    }
    assert {"avatarmodel.avatars.dev/ann", "avatarrequest.avatars.dev/portraits"} <= set(names)


@pytest.mark.parametrize("field", ["spec.prompts", "spec.photos", "spec.storage.allowed"])
def test_kubectl_explain_knows_what_a_field_means(installed: Cluster, field: str) -> None:
    plural = {"prompts": "avatarrequests", "photos": "avatarmodels", "storage": "avatarruntimes"}[
        field.split(".")[1]
    ]

    explanation = installed.kubectl("explain", f"{plural}.{field}")

    assert "<empty>" not in explanation.split("FIELDS")[0]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("avatarmodels.spec.training.learningRate", ["Range: above 0 and at most 1."]),
        ("avatarmodels.spec.training.steps", ["Training steps", "Range: 1 to 20000."]),
        ("avatarmodels.spec.training.rank", ["Columns", "Range: 1 to 256."]),
        ("avatarruntimes.spec.limits.photos.maxBytes", ["in bytes", "Default: 20971520."]),
        (
            "avatarruntimes.spec.garbageCollection.orphans",
            ["Report: only say so", "Default: Report.", "ENUM:"],
        ),
    ],
)
def test_kubectl_explain_has_a_fields_unit_range_default_and_words(
    installed: Cluster, field: str, words: list[str]
) -> None:
    explanation = " ".join(installed.kubectl("explain", field).split())

    assert [word for word in words if word not in explanation] == []


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("status.state=Ready", ["ann"]),
        ("status.state=Training", ["bob"]),
        ("status.state!=Ready", ["bob"]),
        ("spec.runtimeRef.name=standard", ["ann", "bob"]),
        ("spec.runtimeRef.name=standard,status.state=Ready", ["ann"]),
        ("spec.runtimeRef.name=other", []),
    ],
)
def test_models_can_be_selected_by_the_server(
    installed: Cluster,
    namespace: str,
    ready_model: Manifest,
    training_model: Manifest,
    selector: str,
    found: list[str],
) -> None:
    names = installed.kubectl(
        "get", "avm", f"--namespace={namespace}", f"--field-selector={selector}", "--output=name"
    ).split()

    assert [name.split("/")[1] for name in names] == found


@pytest.mark.parametrize(
    ("selector", "found"),
    [("spec.modelRef.name=ann", ["portraits"]), ("spec.modelRef.name=bob", []), ("status.state=Running", [])],
)
def test_requests_can_be_selected_by_the_server(
    installed: Cluster, api: ApiObjects, namespace: str, selector: str, found: list[str]
) -> None:
    api.create(request_manifest(namespace=namespace))

    names = installed.kubectl(
        "get", "avr", f"--namespace={namespace}", f"--field-selector={selector}", "--output=name"
    ).split()

    assert [name.split("/")[1] for name in names] == found


def test_runtimes_can_be_selected_by_the_server(installed: Cluster, runtime: Manifest) -> None:
    ready = installed.kubectl("get", "avrt", "--field-selector=status.state=Ready", "--output=name").split()
    failed = installed.kubectl("get", "avrt", "--field-selector=status.state=Failed", "--output=name").split()

    name = f"avatarruntime.avatars.dev/{runtime['metadata']['name']}"
    assert name in ready
    assert name not in failed


def test_a_status_that_a_user_types_is_dropped(api: ApiObjects, namespace: str) -> None:
    manifest = model_manifest(namespace=namespace) | {"status": {"state": "Ready"}}

    assert "status" not in api.create(manifest)


def test_an_edit_of_a_user_leaves_the_status_alone(api: ApiObjects, ready_model: Manifest) -> None:
    changed = api.change(ready_model, {"spec": {"suspend": True}, "status": {"state": "Failed"}})

    assert changed["spec"]["suspend"] is True
    assert changed["status"]["state"] == "Ready"


def test_a_status_write_leaves_spec_and_generation_alone(api: ApiObjects, ready_model: Manifest) -> None:
    before = api.read(ready_model)

    after = api.change_status(ready_model, {"state": "Failed"})

    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"] == 1


def test_a_state_that_is_none_is_refused(api: ApiObjects, ready_model: Manifest) -> None:
    with pytest.raises(Refused, match="Unsupported value"):
        api.change_status(ready_model, {"state": "Dancing"})


def test_two_conditions_of_a_type_are_refused(api: ApiObjects, ready_model: Manifest) -> None:
    twice = [a_condition("Ready", "True").to_wire(), a_condition("Ready", "False").to_wire()]

    with pytest.raises(Refused, match="Duplicate value"):
        api.change_status(ready_model, {"conditions": twice})


def test_a_reason_of_several_words_is_refused(api: ApiObjects, ready_model: Manifest) -> None:
    condition = a_condition("Ready").to_wire() | {"reason": "Not a word"}

    with pytest.raises(Refused, match=r"conditions\[0\]\.reason"):
        api.change_status(ready_model, {"conditions": [condition]})


def test_what_is_written_is_what_is_read(api: ApiObjects, ready_model: Manifest) -> None:
    status = AvatarModelStatus.model_validate(api.read(ready_model)["status"])

    assert status.artifact == model_stages.hosted().artifact
    training = model_stages.hosted().training
    assert training is not None
    assert status.training == training.model_copy(update={"estimated_cost": COST})
