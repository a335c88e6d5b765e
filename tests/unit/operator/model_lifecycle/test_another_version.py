"""A status that another version of the operator wrote: this one goes on with the object, or at least lets go of it."""

import pytest

from avatar_api.group import AVATAR_MODEL
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from builders.manifests import merged
from builders.world import World


def _change(world: World, changes: dict[str, object]) -> None:
    world.kube.force_status(AVATAR_MODEL, "ann", merged(world.model.status.to_wire(), changes))


async def test_a_state_that_this_version_does_not_know_is_replaced_by_one_that_it_does(world: World) -> None:
    await world.train()
    _change(world, {"state": "Distilling"})

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"


async def test_a_running_attempt_of_a_stage_that_this_version_does_not_know_ends_as_any_other(
    world: World,
) -> None:
    await world.settle(AVATAR_MODEL)
    conditions = [
        condition.model_copy(update={"reason": "Distilling"}) if condition.type == "Trained" else condition
        for condition in world.model.status.conditions
    ]
    _change(
        world,
        {"state": "Distilling", "conditions": [condition.to_wire() for condition in conditions]},
    )

    await world.train()

    assert world.model.status.state == "Ready"
    assert len(world.backend.asked("submit_training")) == 1


async def test_fields_that_this_version_does_not_know_stop_nothing(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    _change(world, {"sharding": {"parts": 4}, "training": {"priority": "High"}})

    await world.train()

    assert world.model.status.state == "Ready"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "Distilling"},
        {"training": {"inferenceId": 7}},
        {"artifact": "in words of another version"},
    ],
    ids=["a word", "a number for a word", "a word for an object"],
)
async def test_what_another_version_wrote_does_not_keep_a_model_from_being_deleted(
    world: World, changes: dict[str, object]
) -> None:
    await world.train()
    _change(world, changes)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.backend.asked("delete_model_data") == [True]


async def test_a_time_at_the_end_of_all_times_does_not_keep_a_model_from_being_deleted(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    _change(world, {"training": {"startTime": "9999-12-31T23:59:59Z"}})
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.look_at(AVATAR_MODEL)
    world.clock.advance(61)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")


async def test_what_another_version_wrote_does_not_keep_a_trouble_of_a_deletion_from_being_told(
    world: World,
) -> None:
    await world.train()
    denied = BackendError("AccessDenied", "No.", retryable=True)
    world.backend.script("delete_model_data", denied, denied)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.look_at(AVATAR_MODEL)
    _change(world, {"artifact": "in words of another version"})
    world.clock.advance(61)

    await world.look_at(AVATAR_MODEL)

    reconciling = find_condition(world.model.status.conditions, "Reconciling")
    assert reconciling is not None
    assert reconciling.reason == "AccessDenied"


async def test_a_status_that_cannot_be_understood_waits_for_who_can_and_says_what_it_is(world: World) -> None:
    await world.train()
    _change(world, {"artifact": "in words of another version"})
    writes = world.kube.writes.copy()

    reconciled = await world.look_at(AVATAR_MODEL)

    assert reconciled.retrying is not None
    assert reconciled.retrying.reason == "NotUnderstood"
    assert "status.artifact" in reconciled.retrying.message
    assert world.kube.writes == writes
