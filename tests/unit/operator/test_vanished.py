"""Objects whose finalizer somebody stripped: their runtime takes over what they leave behind, and nobody else's."""

from datetime import timedelta

import pytest

from avatar_api.avatar_runtime import LeftBehind
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, FINALIZER
from avatar_operator.left_behind.last_removal import LONGEST_ATTEMPT_SECONDS, LONGEST_CALL_SECONDS
from builders.objects import MODEL_UID, REQUEST_UID
from builders.world import MODEL_KEY, World


@pytest.fixture
async def world() -> World:
    world = World()
    world.add_runtime()
    world.add_model()
    await world.settle_all()
    return world


def _left_behind(world: World) -> list[LeftBehind]:
    return world.runtime.status.left_behind


async def _taken_over(world: World) -> None:
    await world.look_at(AVATAR_RUNTIME)


async def test_a_running_attempt_is_stopped_at_once_and_removed_after_for_the_last_time(world: World) -> None:
    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    assert world.brought_back == ["standard"]
    await _taken_over(world)
    (entry,) = _left_behind(world)
    assert (entry.uid, world.backend.asked("delete_owned")) == (MODEL_UID, []), "written down first"
    await world.settle(AVATAR_RUNTIME)
    removed = [owner.location for owner in world.backend.asked("delete_owned")]
    assert removed[0] == f"s3://models/requests/team-a/{MODEL_UID}/", "the claim goes first: a worker stops"
    assert f"s3://models/artifacts/team-a/{MODEL_UID}/" in removed
    world.clock.advance(LONGEST_ATTEMPT_SECONDS)
    await world.settle(AVATAR_RUNTIME)

    assert [owner.location for owner in world.backend.asked("delete_owned")] == removed * 2
    assert _left_behind(world) == []
    assert "LeftBehind" not in world.kube.reasons(), "nobody has to mend anything"


async def test_a_restart_after_it_was_written_down_loses_nothing(world: World) -> None:
    world.kube.remove_by_force(AVATAR_MODEL, "ann")
    await _taken_over(world)

    world.crash()
    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("delete_owned")


async def test_what_is_to_stay_is_marked_and_stays(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"deletionPolicy": "Retain"})
    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    await _taken_over(world)
    await world.settle(AVATAR_RUNTIME)

    artifacts = f"s3://models/artifacts/team-a/{MODEL_UID}/"
    assert world.backend.asked("mark_retained") == [artifacts]
    assert artifacts not in [owner.location for owner in world.backend.asked("delete_owned")]


async def test_a_finished_model_is_removed_once(world: World) -> None:
    await world.train()
    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    await _taken_over(world)
    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("delete_owned")
    assert _left_behind(world) == []


async def test_pictures_go_and_once_more_when_no_call_can_be_drawing(world: World) -> None:
    await world.train()
    world.add_request()
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    assert world.request.status.storage_prefix is not None
    world.kube.remove_by_force(AVATAR_REQUEST, "portraits")
    since = world.clock.now()

    await _taken_over(world)
    await world.settle(AVATAR_RUNTIME)

    pictures = f"s3://pictures/team-a/{REQUEST_UID}/"
    assert [owner.location for owner in world.backend.asked("delete_owned")] == [pictures]
    (entry,) = _left_behind(world)
    assert entry.may_grow_until == since + timedelta(seconds=LONGEST_CALL_SECONDS)
    world.clock.advance(LONGEST_CALL_SECONDS)
    await world.settle(AVATAR_RUNTIME)
    assert [owner.location for owner in world.backend.asked("delete_owned")] == [pictures] * 2
    assert _left_behind(world) == []


async def test_what_the_operator_let_go_itself_did_not_vanish(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.brought_back == []


async def test_a_replica_that_stands_by_takes_nothing_over(world: World) -> None:
    standby = World(beside=world)

    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    assert world.brought_back == ["standard"]
    assert standby.brought_back == []


async def test_what_has_nothing_stored_may_vanish() -> None:
    world = World()
    world.add_runtime()
    world.add_model()
    await world.lead()

    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    assert world.brought_back == []


async def test_an_object_whose_letting_go_was_refused_and_that_was_stripped_later_did_vanish(
    world: World,
) -> None:
    world.cache.note_let_go(MODEL_UID)
    world.kube.annotate(AVATAR_MODEL, "ann", {"touched": "by somebody else"})
    body = world.cache.get(MODEL_KEY)
    assert body is not None
    assert FINALIZER in body["metadata"]["finalizers"]

    world.kube.remove_by_force(AVATAR_MODEL, "ann")

    assert world.brought_back == ["standard"]
