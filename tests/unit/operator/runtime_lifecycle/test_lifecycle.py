"""The life of an AvatarRuntime: its endpoints come, roll on change, and go."""

import pytest

from avatar_api.avatar_runtime import EndpointStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, FINALIZER
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Draft
from avatar_operator.left_behind.entries import left_by_model, left_by_request
from avatar_operator.runtime_lifecycle.actions import EndpointsSeen
from avatar_operator.runtime_lifecycle.lifecycle import decide, fold, summarise
from builders.backend import denied, out_of_reach
from builders.clock import NOON
from builders.objects import a_model, a_request, a_runtime
from builders.observations import observed_runtime, runtime_draft
from builders.world import World

IN_SERVICE = EndpointsFacts(ready=True, reason="InService", message="All endpoints serve.")
CREATING = EndpointsFacts(ready=False, reason="Creating", message="The training endpoint is being created.")
BROKEN = EndpointsFacts(ready=False, reason="EndpointFailed", message="No capacity.", failed=True)


@pytest.fixture
def world() -> World:
    """A new runtime."""
    world = World()
    world.add_runtime()
    return world


def test_a_new_runtime_is_held_before_anything_is_made_for_it() -> None:
    assert decide(observed_runtime(a_runtime(finalizers=()))).finalizer == "Add"


@pytest.mark.parametrize(
    ("facts", "state"), [(IN_SERVICE, "Ready"), (CREATING, "Provisioning"), (BROKEN, "Failed")]
)
def test_the_state_says_how_the_endpoints_are(facts: EndpointsFacts, state: str) -> None:
    observation = observed_runtime(a_runtime())

    draft = summarise(observation, fold(observation, runtime_draft(observation), EndpointsSeen(facts)))

    assert draft.status.state == state
    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert (ready.reason, ready.message) == (facts.reason, facts.message)


def test_a_runtime_that_was_never_looked_at_is_pending() -> None:
    observation = observed_runtime(a_runtime())
    empty = a_runtime().status.model_copy(update={"conditions": []})

    assert summarise(observation, Draft(status=empty)).status.state == "Pending"


async def test_the_way_to_endpoints_in_service(world: World) -> None:
    world.backend.script("ensure_endpoints", CREATING, CREATING)
    states = []
    for _ in range(4):
        await world.look_at(AVATAR_RUNTIME)
        states.append(world.runtime.status.state)

    assert states == ["Provisioning", "Provisioning", "Ready", "Ready"]
    assert world.runtime.metadata.finalizers == (FINALIZER,)
    assert world.kube.writes["apply_status", "AvatarRuntime"] == 2


async def test_endpoints_in_service_are_told_once(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    await world.settle(AVATAR_RUNTIME)

    assert world.kube.reasons() == ["EndpointsReady"]


async def test_endpoints_that_failed_are_told(world: World) -> None:
    world.backend.script("ensure_endpoints", BROKEN)

    await world.look_at(AVATAR_RUNTIME)

    assert world.kube.reasons() == ["EndpointFailed"]


async def test_a_backend_out_of_reach_is_tried_again_and_said(world: World) -> None:
    world.backend.script("ensure_endpoints", out_of_reach())

    reconciled = await world.look_at(AVATAR_RUNTIME)

    assert reconciled.retrying is not None
    assert reconciled.retrying.at_least == 0.0
    ready = find_condition(world.runtime.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", "ServiceUnavailable")


async def test_models_go_on_waiting_while_the_backend_cannot_be_asked(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.backend.script("ensure_endpoints", denied())

    await world.look_at(AVATAR_RUNTIME)

    assert not is_true(world.runtime.status.conditions, "EndpointsReady")


async def test_a_runtime_that_a_person_must_mend_goes_on_saying_so(world: World) -> None:
    world.backend.script("ensure_endpoints", *[denied()] * 10)

    for _ in range(10):
        await world.look_at(AVATAR_RUNTIME)
        world.clock.advance(30)

    conditions = world.runtime.status.conditions
    assert (is_true(conditions, "Stalled"), is_true(conditions, "Reconciling")) == (True, False)
    assert world.kube.writes["apply_status", "AvatarRuntime"] == 1


async def test_a_runtime_goes_when_its_last_endpoint_is_gone(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    deleting = EndpointsFacts(ready=False, reason="Deleting", message="")
    world.backend.script("delete_endpoints", deleting, deleting)
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")

    waits = await world.look_at(AVATAR_RUNTIME)
    assert waits.requeue_after == 3.0
    assert world.runtime.status.state == "Deleting"
    await world.look_at(AVATAR_RUNTIME)
    await world.look_at(AVATAR_RUNTIME)

    assert not world.kube.exists(AVATAR_RUNTIME, "standard")


async def test_what_is_to_stay_and_was_not_marked_is_marked_by_the_runtime_and_never_removed(
    world: World,
) -> None:
    await world.settle(AVATAR_RUNTIME)
    entry = left_by_request(world.runtime, a_request(spec={"deletionPolicy": "Retain"}), NOON)
    status = world.runtime.status.model_copy(update={"left_behind": [entry]})
    world.kube.force_status(AVATAR_RUNTIME, "standard", status.to_wire())
    world.backend.script("mark_retained", denied())

    world.clock.advance(300)
    await world.settle(AVATAR_RUNTIME)
    assert [entry.tries for entry in world.runtime.status.left_behind] == [1]
    world.clock.advance(600)
    await world.settle(AVATAR_RUNTIME)

    assert world.runtime.status.left_behind == []
    assert world.backend.asked("mark_retained") == entry.retained * 2
    assert world.backend.asked("delete_owned") == []


async def test_a_runtime_outlives_its_models(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")
    await world.settle(AVATAR_RUNTIME)
    assert world.kube.exists(AVATAR_RUNTIME, "standard")
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)

    await world.settle(AVATAR_RUNTIME)

    assert not world.kube.exists(AVATAR_RUNTIME, "standard")


async def test_a_runtime_outlives_the_pictures_that_it_has_to_remove(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.add_request()
    await world.settle(AVATAR_REQUEST)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")
    await world.settle(AVATAR_MODEL)
    await world.settle(AVATAR_RUNTIME)
    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.kube.exists(AVATAR_RUNTIME, "standard")
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")
    await world.settle(AVATAR_REQUEST)

    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("delete_request_data") == ["portraits"]
    assert not world.kube.exists(AVATAR_RUNTIME, "standard")


async def test_a_model_that_was_never_trained_holds_no_runtime_and_begins_nothing_on_one_that_goes(
    world: World,
) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.add_model({"suspend": True})
    await world.settle(AVATAR_MODEL)
    deleting = EndpointsFacts(ready=False, reason="Deleting", message="")
    world.backend.script("delete_endpoints", deleting)
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")
    await world.look_at(AVATAR_RUNTIME)

    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": False})
    await world.settle(AVATAR_MODEL)
    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("submit_training") == []
    assert not world.kube.exists(AVATAR_RUNTIME, "standard")


def _serving(training: str) -> EndpointsFacts:
    endpoints = (
        EndpointStatus(role="Training", name=training, state="InService"),
        EndpointStatus(role="Inference", name="avatar-inference", state="InService"),
    )
    return EndpointsFacts(ready=True, reason="InService", message="", endpoints=endpoints)


@pytest.mark.parametrize("crash", [False, True])
async def test_a_renamed_training_endpoint_is_replaced_and_the_old_one_goes_after_its_last_training(
    world: World, crash: bool
) -> None:
    world.backend.script("ensure_endpoints", *[_serving("avatar-training")] * 2)
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.settle(AVATAR_MODEL)
    world.kube.edit(
        AVATAR_RUNTIME, "standard", {"backend": {"sagemaker": {"training": {"endpointName": "faster"}}}}
    )
    world.backend.script("ensure_endpoints", *[_serving("faster")] * 50)
    await world.settle(AVATAR_RUNTIME)
    if crash:
        world.crash()
        await world.settle(AVATAR_RUNTIME)
    assert world.backend.asked("retire_endpoint") == []
    names = [endpoint.name for endpoint in world.runtime.status.endpoints]
    assert names == ["faster", "avatar-inference", "avatar-training"]

    await world.train()
    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("retire_endpoint") == ["avatar-training"]
    names = [endpoint.name for endpoint in world.runtime.status.endpoints]
    assert names == ["faster", "avatar-inference"]


async def test_what_was_left_behind_is_removed_once_it_may_be(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    entry = left_by_model(world.runtime, a_model(), world.clock.now())
    status = world.runtime.status.model_copy(update={"left_behind": [entry]})
    world.kube.force_status(AVATAR_RUNTIME, "standard", status.to_wire())
    world.backend.script("delete_owned", denied())
    for _ in range(3):
        world.clock.advance(600)
        await world.look_at(AVATAR_RUNTIME)

    assert world.runtime.status.left_behind == []
    asked = [directory.location for directory in world.backend.asked("delete_owned")]
    assert asked == [entry.locations[0], *entry.locations]
    assert all(directory.uid == entry.uid for directory in world.backend.asked("delete_owned"))


async def test_a_runtime_in_service_is_left_in_peace(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    writes = world.kube.writes.copy()

    for _ in range(50):
        world.clock.advance(300)
        await world.look_at(AVATAR_RUNTIME)

    assert world.kube.writes == writes


async def test_whoever_gets_the_label_that_a_runtime_asks_for_is_admitted(world: World) -> None:
    tenancy = {"allowedNamespaces": None, "namespaceSelector": {"matchLabels": {"avatars": "yes"}}}
    world.kube.edit(AVATAR_RUNTIME, "standard", {"tenancy": tenancy})
    world.kube.namespaces["team-a"] = {}
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.settle(AVATAR_MODEL)
    accepted = find_condition(world.model.status.conditions, "Accepted")
    assert accepted is not None
    assert accepted.reason == "NamespaceNotAllowed"

    world.kube.namespaces["team-a"] = {"avatars": "yes"}
    world.clock.advance(30)
    await world.train()
    world.add_request()
    await world.settle(AVATAR_REQUEST)

    assert is_true(world.request.status.conditions, "Succeeded")


async def test_a_model_of_a_runtime_that_asks_for_labels_goes_though_nobody_can_read_them(
    world: World,
) -> None:
    tenancy: dict[str, object] = {"allowedNamespaces": None, "namespaceSelector": {}}
    world.kube.edit(AVATAR_RUNTIME, "standard", {"tenancy": tenancy})
    await world.settle(AVATAR_RUNTIME)
    world.add_model({"suspend": True})
    await world.settle(AVATAR_MODEL)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.kube.fail_next("read_namespace_labels", status=403)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")


NEWER = {
    "state": "Hibernating",
    "endpoints": [{"role": "Upscaling", "name": "upscaler", "state": "Dreaming", "instances": 2}],
    "conditions": [
        {
            "type": "Hibernated",
            "status": "Perhaps",
            "reason": "Winter",
            "lastTransitionTime": "2026-11-22T11:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "leftBehind": [
        {
            "kind": "AvatarAlbum",
            "namespace": "team-a",
            "name": "holiday",
            "uid": "88888888-0000-0000-0000-000000000000",
            "locations": ["s3://albums/team-a/88888888-0000-0000-0000-000000000000/"],
            "since": "2026-11-22T11:00:00Z",
            "tries": 3,
            "owner": "ann",
        }
    ],
    "weather": {"outlook": "fair"},
}


async def test_words_that_a_newer_version_wrote_stop_neither_the_work_nor_the_end(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.kube.force_status(AVATAR_RUNTIME, "standard", NEWER)
    world.backend.script("ensure_endpoints", *[_serving("avatar-training")] * 3)

    world.clock.advance(86400)
    await world.look_at(AVATAR_RUNTIME)
    assert is_true(world.runtime.status.conditions, "Ready")
    assert world.backend.asked("delete_owned") == []
    assert [entry.kind for entry in world.runtime.status.left_behind] == ["AvatarAlbum"]
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")
    await world.look_at(AVATAR_RUNTIME)

    assert world.backend.asked("delete_endpoints") != []
