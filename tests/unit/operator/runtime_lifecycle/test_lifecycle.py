"""The life of an AvatarRuntime: its endpoints come, roll on change, and go."""

import pytest

from avatar_api.avatar_runtime import EndpointStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, FINALIZER
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Draft
from avatar_operator.runtime_lifecycle.lifecycle import decide, fold_facts, summarise
from avatar_operator.runtime_lifecycle.observation import DeleteEndpoints, EnsureEndpoints
from builders.backend import denied, out_of_reach
from builders.clock import NOON
from builders.objects import a_condition, a_runtime
from builders.observations import observed_runtime, runtime_draft
from builders.world import World

CREATING = EndpointsFacts(
    ready=False,
    reason="Creating",
    message="The training endpoint is being created.",
    endpoints=(EndpointStatus(role="Training", name="avatar-training", state="Creating"),),
)
BROKEN = EndpointsFacts(ready=False, reason="EndpointFailed", message="No capacity.", failed=True)


@pytest.fixture
def world() -> World:
    """A new runtime."""
    world = World()
    world.add_runtime()
    return world


def test_a_new_runtime_is_held_before_anything_is_made_for_it() -> None:
    assert decide(observed_runtime(a_runtime(finalizers=()))).finalizer == "Add"


def test_endpoints_are_asked_for_at_every_pass() -> None:
    assert decide(observed_runtime(a_runtime())).actions == (EnsureEndpoints(),)


def test_a_runtime_in_use_waits_for_its_users() -> None:
    observation = observed_runtime(a_runtime(deleted_at=NOON), users=3)

    draft = decide(observation)

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert (ready.reason, ready.message) == (
        "InUse",
        "3 AvatarModels still use this runtime; it goes when they are gone.",
    )
    assert draft.actions == ()
    assert draft.finalizer == "Keep"


def test_a_runtime_without_users_takes_its_endpoints_with_it() -> None:
    assert decide(observed_runtime(a_runtime(deleted_at=NOON))).actions == (DeleteEndpoints(),)


def test_a_runtime_that_is_going_and_not_held_is_left_alone() -> None:
    assert decide(observed_runtime(a_runtime(deleted_at=NOON, finalizers=()))).actions == ()


def test_endpoints_that_come_are_looked_at_again_soon() -> None:
    observation = observed_runtime(a_runtime(ready=False))

    draft = fold_facts(observation, runtime_draft(observation), CREATING)

    assert draft.requeue_after == 3.0
    assert draft.status.endpoints == list(CREATING.endpoints)
    assert not is_true(draft.status.conditions, "EndpointsReady")


def test_endpoints_in_service_are_told_once() -> None:
    ready = EndpointsFacts(ready=True, reason="InService", message="")
    new, known = observed_runtime(a_runtime(ready=False)), observed_runtime(a_runtime(ready=True))

    assert [notice.reason for notice in fold_facts(new, runtime_draft(new), ready).notices] == [
        "EndpointsReady"
    ]
    assert fold_facts(known, runtime_draft(known), ready).notices == ()


def test_endpoints_that_failed_are_told_and_tried_again_slowly() -> None:
    observation = observed_runtime(a_runtime(ready=False))

    draft = fold_facts(observation, runtime_draft(observation), BROKEN)

    assert draft.retry_at_least == 30.0
    assert [(notice.type, notice.reason) for notice in draft.notices] == [("Warning", "EndpointFailed")]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (EndpointsFacts(ready=True, reason="InService", message=""), "Ready"),
        (CREATING, "Provisioning"),
        (BROKEN, "Failed"),
    ],
)
def test_the_state_says_how_the_endpoints_are(facts: EndpointsFacts, state: str) -> None:
    observation = observed_runtime(a_runtime())

    draft = summarise(observation, fold_facts(observation, runtime_draft(observation), facts))

    assert draft.status.state == state
    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == facts.reason


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


async def test_a_backend_out_of_reach_is_tried_again_and_said(world: World) -> None:
    world.backend.script("ensure_endpoints", out_of_reach())

    reconciled = await world.look_at(AVATAR_RUNTIME)

    assert reconciled.retry_at_least == 1.0
    ready = find_condition(world.runtime.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == "ServiceUnavailable"


async def test_models_go_on_waiting_while_the_backend_cannot_be_asked(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.backend.script("ensure_endpoints", denied())

    await world.look_at(AVATAR_RUNTIME)

    assert not is_true(world.runtime.status.conditions, "EndpointsReady")


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


async def test_a_runtime_outlives_its_models(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    world.add_model({"suspend": True})
    await world.settle(AVATAR_MODEL)
    world.kube.delete_as_user(AVATAR_RUNTIME, "standard")
    await world.settle(AVATAR_RUNTIME)
    assert world.kube.exists(AVATAR_RUNTIME, "standard")
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)

    await world.settle(AVATAR_RUNTIME)

    assert not world.kube.exists(AVATAR_RUNTIME, "standard")


async def test_a_runtime_in_service_is_left_in_peace(world: World) -> None:
    await world.settle(AVATAR_RUNTIME)
    writes = world.kube.writes.copy()

    for _ in range(50):
        world.clock.advance(300)
        await world.look_at(AVATAR_RUNTIME)

    assert world.kube.writes == writes


def test_a_condition_keeps_its_time_while_endpoints_stay_as_they_are() -> None:
    status = a_runtime().status.model_copy(
        update={"conditions": [a_condition("EndpointsReady", "True", "InService")]}
    )
    observation = observed_runtime(a_runtime(status=status))
    ready = EndpointsFacts(ready=True, reason="InService", message="")

    draft = fold_facts(observation, runtime_draft(observation), ready)

    assert draft.status.conditions == status.conditions
