"""The operator's own client against a real API server: what a write changes, and when it is refused."""

import uuid
from dataclasses import replace
from typing import Any, cast

import pytest
from kubernetes.aio import client as kubernetes_client

from avatar_api.avatar_runtime import AvatarRuntimeStatus, EndpointStatus, Orphans
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, FINALIZER, Kind
from avatar_api.meta import Cost
from avatar_operator.core.decision import Notice
from avatar_operator.kube.client import ConflictError, KubeError, NotFoundError, Object
from avatar_operator.kube.events import NOTE_BYTES, EventRecorder
from avatar_operator.kube.kubernetes_client import KubernetesClient
from avatar_operator.left_behind.entries import left_by_model
from builders import model_stages
from builders.api_objects import ApiObjects
from builders.clock import NOON, FakeClock
from builders.manifests import model_manifest, request_manifest, runtime_manifest
from builders.objects import a_condition, a_model, a_runtime
from local_cluster.access import Cluster


@pytest.fixture
def model(api: ApiObjects, namespace: str) -> Object:
    """A new model."""
    return api.create(model_manifest(namespace=namespace))


@pytest.fixture
def recorder(client: KubernetesClient) -> EventRecorder:
    """Writes Events as the operator does."""
    return EventRecorder(client, FakeClock(), instance="test")


async def test_a_status_is_written_whole(client: KubernetesClient, model: Object) -> None:
    status = model_stages.hosted().to_wire()

    written = await client.apply_status(AVATAR_MODEL, model, status)

    assert written["status"] == status
    assert written["spec"] == model["spec"]


async def test_what_a_status_does_not_say_any_more_is_taken_away(
    client: KubernetesClient, model: Object
) -> None:
    hosted = await client.apply_status(AVATAR_MODEL, model, model_stages.hosted().to_wire())

    written = await client.apply_status(AVATAR_MODEL, hosted, model_stages.waiting().to_wire())

    assert "artifact" not in written["status"]
    assert "inferenceId" not in written["status"]["training"]
    assert [condition["type"] for condition in written["status"]["conditions"]] == ["Accepted", "Trained"]


async def test_a_status_as_the_former_version_writes_it_is_taken(
    client: KubernetesClient, model: Object
) -> None:
    status = model_stages.submitted().to_wire()
    training: dict[str, Any] = {**cast("dict[str, Any]", status["training"])}
    locations = training.pop("sagemaker")
    former = {**status, "training": {**training, **locations}}

    written = await client.apply_status(AVATAR_MODEL, model, former)

    assert written["status"] == former


async def test_a_status_of_a_cluster_scoped_object_is_written(
    client: KubernetesClient, api: ApiObjects, namespace: str
) -> None:
    runtime = api.create(runtime_manifest(name=namespace))

    written = await client.apply_status(
        AVATAR_RUNTIME, runtime, {"conditions": [a_condition("Ready").to_wire()]}
    )

    api.delete(runtime)
    assert written["status"]["conditions"][0]["type"] == "Ready"


async def test_a_runtimes_status_holds_two_endpoints_of_a_role_and_all_that_it_keeps_in_mind(
    client: KubernetesClient, api: ApiObjects, namespace: str
) -> None:
    runtime = api.create(runtime_manifest(name=namespace))
    status = AvatarRuntimeStatus(
        endpoints=[
            EndpointStatus(role="Training", name=name, state="InService", instances=1)
            for name in ("new", "old")
        ],
        left_behind=[left_by_model(a_runtime(), a_model(), NOON)],
        orphans=Orphans(found=1, removed=2, last_checked_time=NOON),
        idle_seconds=100,
        idle_cost=Cost(amount="1.050000", currency="EUR", instance_type="ml.g4dn.xlarge, ml.g5.xlarge"),
    ).to_wire()

    written = await client.apply_status(AVATAR_RUNTIME, runtime, status)

    api.delete(runtime)
    assert written["status"] == status


async def test_the_labels_of_a_namespace_are_read(client: KubernetesClient, namespace: str) -> None:
    labels = await client.read_namespace_labels(namespace)

    assert labels["kubernetes.io/metadata.name"] == namespace
    with pytest.raises(NotFoundError):
        await client.read_namespace_labels(f"{namespace}-gone")


async def test_a_status_decided_on_an_old_version_is_refused(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    api.change(model, {"spec": {"suspend": True}})

    with pytest.raises(ConflictError):
        await client.apply_status(AVATAR_MODEL, model, model_stages.waiting().to_wire())

    assert "status" not in api.read(model)


async def test_a_status_meant_for_a_predecessor_of_the_same_name_is_refused(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    api.delete(model)
    api.create(model_manifest(namespace=model["metadata"]["namespace"]))

    with pytest.raises(ConflictError):
        await client.apply_status(AVATAR_MODEL, model, model_stages.waiting().to_wire())


async def test_a_status_of_an_object_that_is_gone_is_not_found(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    api.delete(model)

    with pytest.raises((NotFoundError, ConflictError)):
        await client.apply_status(AVATAR_MODEL, model, model_stages.waiting().to_wire())


async def test_a_status_against_the_schema_is_refused_with_the_servers_words(
    client: KubernetesClient, model: Object
) -> None:
    with pytest.raises(KubeError, match="Unsupported value") as refused:
        await client.apply_status(AVATAR_MODEL, model, {"state": "Dancing"})

    assert refused.value.status == 422


async def test_writing_the_same_status_twice_is_no_new_version(
    client: KubernetesClient, model: Object
) -> None:
    status = model_stages.hosted().to_wire()
    first = await client.apply_status(AVATAR_MODEL, model, status)

    second = await client.apply_status(AVATAR_MODEL, first, status)

    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_finalizers_are_replaced(client: KubernetesClient, model: Object) -> None:
    held = await client.set_finalizers(AVATAR_MODEL, model, [FINALIZER])
    assert held["metadata"]["finalizers"] == [FINALIZER]

    free = await client.set_finalizers(AVATAR_MODEL, held, [])
    assert "finalizers" not in free["metadata"]


async def test_finalizers_of_others_stay(client: KubernetesClient, api: ApiObjects, model: Object) -> None:
    other = api.change(model, {"metadata": {"finalizers": ["example.com/theirs"]}})

    held = await client.set_finalizers(AVATAR_MODEL, other, ["example.com/theirs", FINALIZER])

    assert held["metadata"]["finalizers"] == ["example.com/theirs", FINALIZER]


async def test_finalizers_decided_on_an_old_version_are_refused(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    api.change(model, {"metadata": {"finalizers": ["example.com/theirs"]}})

    with pytest.raises(ConflictError):
        await client.set_finalizers(AVATAR_MODEL, model, [FINALIZER])


async def test_the_last_finalizer_lets_a_deleted_object_go(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    held = await client.set_finalizers(AVATAR_MODEL, model, [FINALIZER])
    api.delete(model)
    going = api.read(model)
    assert going["metadata"]["deletionTimestamp"]

    last = await client.set_finalizers(AVATAR_MODEL, going, [])

    assert not last["metadata"].get("finalizers")
    with pytest.raises(NotFoundError):
        await client.set_finalizers(AVATAR_MODEL, held, [])


async def _listed(client: KubernetesClient, kind: Kind) -> list[Object]:
    return [body async for page in client.list_objects(kind) for body in page.objects]


async def test_pages_add_up_to_everything(
    api_client: kubernetes_client.ApiClient, api: ApiObjects, namespace: str
) -> None:
    created = {
        api.create(model_manifest(name=f"m{number}", namespace=namespace))["metadata"]["uid"]
        for number in range(5)
    }

    pages = [page async for page in KubernetesClient(api_client, page_size=2).list_objects(AVATAR_MODEL)]

    assert max(len(page.objects) for page in pages) == 2
    assert created <= {body["metadata"]["uid"] for page in pages for body in page.objects}
    newest = max(int(body["metadata"]["resourceVersion"]) for page in pages for body in page.objects)
    assert len({page.version for page in pages}) == 1
    assert int(pages[0].version) >= newest, "a list is as new as what it shows"


async def test_every_object_of_a_kind_is_listed_with_its_kind(
    client: KubernetesClient, model: Object
) -> None:
    listed = await _listed(client, AVATAR_MODEL)

    (ours,) = [body for body in listed if body["metadata"]["uid"] == model["metadata"]["uid"]]
    assert (ours["kind"], ours["apiVersion"]) == ("AvatarModel", "avatars.dev/v1alpha1")


async def test_one_namespace_is_listed_by_itself(
    client: KubernetesClient, model: Object, namespace: str
) -> None:
    found = [
        body["metadata"]["uid"]
        async for page in client.list_objects(AVATAR_MODEL, namespace)
        for body in page.objects
    ]
    assert found == [model["metadata"]["uid"]]
    elsewhere = [page async for page in client.list_objects(AVATAR_MODEL, "default")]
    assert [page.objects for page in elsewhere] == [[]]


async def test_a_kind_that_is_not_installed_is_not_found(client: KubernetesClient) -> None:
    unknown: Kind = replace(AVATAR_MODEL, plural="avatarghosts")

    with pytest.raises(NotFoundError):
        await _listed(client, unknown)


async def test_deleting_what_is_gone_is_no_error(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    await client.delete(AVATAR_MODEL, model)
    await client.delete(AVATAR_MODEL, model)

    assert model["metadata"]["uid"] not in {
        body["metadata"]["uid"] for body in await _listed(client, AVATAR_MODEL)
    }


async def test_a_successor_of_the_same_name_is_not_deleted(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    api.delete(model)
    successor = api.create(model_manifest(namespace=model["metadata"]["namespace"]))

    await client.delete(AVATAR_MODEL, model)

    assert api.read(model)["metadata"]["uid"] == successor["metadata"]["uid"]


async def test_a_cluster_scoped_object_is_deleted(
    client: KubernetesClient, api: ApiObjects, namespace: str
) -> None:
    runtime = api.create(runtime_manifest(name=namespace))

    await client.delete(AVATAR_RUNTIME, runtime)

    assert namespace not in [body["metadata"]["name"] for body in await _listed(client, AVATAR_RUNTIME)]


async def test_a_server_that_does_not_answer_is_told_from_one_that_refuses() -> None:
    configuration = kubernetes_client.Configuration()
    configuration.host = "https://127.0.0.1:1"
    client = KubernetesClient(kubernetes_client.ApiClient(configuration), request_timeout=5.0)

    with pytest.raises(KubeError, match="no answer from the API server") as error:
        await _listed(client, AVATAR_MODEL)

    await client.aclose()
    assert error.value.status == 0


def _events(cluster: Cluster, namespace: str) -> list[list[str]]:
    columns = "TYPE:.type,REASON:.reason,KIND:.regarding.kind,NAME:.regarding.name,NOTE:.note"
    table = cluster.kubectl(
        "get",
        "events.events.k8s.io",
        f"--namespace={namespace}",
        "--no-headers",
        f"--output=custom-columns={columns}",
    )
    return [line.split(maxsplit=4) for line in table.splitlines()]


async def test_a_notice_becomes_an_event_beside_its_object(
    installed: Cluster, recorder: EventRecorder, model: Object, namespace: str
) -> None:
    await recorder.record(model, Notice("Warning", "PhotosDenied", "The role may not."), notice_id="a1")

    assert _events(installed, namespace) == [
        ["Warning", "PhotosDenied", "AvatarModel", "ann", "The role may not."]
    ]


async def test_kubectl_describe_shows_the_event(
    installed: Cluster, recorder: EventRecorder, model: Object, namespace: str
) -> None:
    await recorder.record(model, Notice("Normal", "ModelReady", "It can draw."), notice_id="a1")

    assert "It can draw." in installed.kubectl("describe", "avm", "ann", f"--namespace={namespace}")


async def test_the_same_notice_is_one_event(
    installed: Cluster, recorder: EventRecorder, model: Object, namespace: str
) -> None:
    notice = Notice("Normal", "ModelReady", "It can draw.")

    await recorder.record(model, notice, notice_id="a1")
    await recorder.record(model, notice, notice_id="a1")

    assert len(_events(installed, namespace)) == 1


async def test_a_notice_of_another_id_is_another_event(
    installed: Cluster, recorder: EventRecorder, model: Object, namespace: str
) -> None:
    notice = Notice("Normal", "ModelReady", "It can draw.")

    await recorder.record(model, notice, notice_id="a1")
    await recorder.record(model, notice, notice_id="a2")

    assert len(_events(installed, namespace)) == 2


@pytest.mark.parametrize("letter", ["x", "é", "漢", "🦊"])
async def test_a_long_message_is_cut_to_what_an_event_takes(
    installed: Cluster, recorder: EventRecorder, model: Object, namespace: str, letter: str
) -> None:
    await recorder.record(model, Notice("Normal", "Talkative", letter * 3000), notice_id="a1")

    ((_, reason, _, _, note),) = _events(installed, namespace)
    assert reason == "Talkative"
    assert note.startswith(letter * 200)
    assert len(note.encode()) <= NOTE_BYTES


async def test_a_notice_about_a_cluster_scoped_object_is_told_too(
    installed: Cluster, recorder: EventRecorder, api: ApiObjects, namespace: str
) -> None:
    runtime = api.create(runtime_manifest(name=namespace))

    await recorder.record(runtime, Notice("Normal", "EndpointsReady", "In service."), notice_id="a1")

    api.delete(runtime)
    assert [event for event in _events(installed, "default") if event[3] == namespace] == [
        ["Normal", "EndpointsReady", "AvatarRuntime", namespace, "In service."]
    ]


@pytest.mark.parametrize("name", ["a" * 253, f"{'b' * 199}-{'c' * 40}", f"{'d' * 199}.{'e' * 40}"])
async def test_a_name_as_long_as_kubernetes_allows_can_be_told_about(
    recorder: EventRecorder, api: ApiObjects, namespace: str, installed: Cluster, name: str
) -> None:
    request: dict[str, Any] = api.create(request_manifest(name=name, namespace=namespace))

    await recorder.record(request, Notice("Normal", "ModelReady", "It can draw."), notice_id="a1")

    assert _events(installed, namespace)[0][3] == name


async def test_a_notice_in_a_namespace_that_is_going_is_refused_at_once(
    recorder: EventRecorder, installed: Cluster, api: ApiObjects
) -> None:
    namespace = f"test-{uuid.uuid4().hex[:12]}"
    installed.create_namespace(namespace)
    model = api.create(model_manifest(namespace=namespace))
    api.change(model, {"metadata": {"finalizers": [FINALIZER]}})
    installed.delete_namespace(namespace)

    with pytest.raises(KubeError) as refused:
        await recorder.record(
            model, Notice("Warning", "CleanupIncomplete", "Something stays."), notice_id="a1"
        )

    assert refused.value.status == 403
    api.change(model, {"metadata": {"finalizers": None}})


async def test_what_somebody_forged_is_taken_away_although_it_makes_the_status_invalid(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    hosted = await client.apply_status(AVATAR_MODEL, model, model_stages.hosted().to_wire())
    forged = api.change_status(hosted, {"artifact": {"targetModel": "somebody/elses.tar.gz"}})

    written = await client.apply_status(AVATAR_MODEL, forged, model_stages.waiting().to_wire())

    assert written["status"] == model_stages.waiting().to_wire()


async def test_a_former_version_can_take_away_what_this_one_has_written(
    client: KubernetesClient, api: ApiObjects, model: Object
) -> None:
    hosted = await client.apply_status(AVATAR_MODEL, model, model_stages.hosted().to_wire())
    submitted = await client.apply_status(AVATAR_MODEL, hosted, model_stages.submitted().to_wire())
    again = await client.apply_status(AVATAR_MODEL, submitted, model_stages.hosted().to_wire())

    managers = {
        (entry["manager"], entry["operation"])
        for entry in api.read(again)["metadata"]["managedFields"]
        if entry.get("subresource") == "status"
    }

    assert managers == {("avatar-operator", "Apply")}
