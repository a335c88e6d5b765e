"""The end of an AvatarModel: asked for by a user, or by its own retention."""

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.attempts import AttemptFailed
from avatar_operator.backends.cleanup_report import CleanupReport
from builders.backend import denied, out_of_reach
from builders.objects import MODEL_UID
from builders.world import World


async def test_an_expired_model_deletes_itself_and_its_data(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"retention": {"expireAfterSeconds": 600}})
    await world.train()
    world.clock.advance(600)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.backend.asked("delete_model_data") == [True]
    assert "Expired" in world.kube.reasons()


async def test_a_deleted_model_is_let_go_when_its_data_is_gone(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")


async def test_a_deletion_waits_until_the_running_attempt_has_stopped(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.look_at(AVATAR_MODEL)
    assert world.model.status.state == "Deleting"
    world.backend.script("attempt_outcome", AttemptFailed("AttemptFenced", "stopped", retryable=False))

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.backend.asked("delete_model_data") == [True]


async def test_a_deletion_tries_again_while_the_backend_is_out_of_reach(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.backend.script("delete_model_data", out_of_reach())

    refused = await world.look_at(AVATAR_MODEL)

    assert refused.retrying is not None
    assert refused.retrying.reason == "ServiceUnavailable"
    assert world.kube.exists(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)
    assert not world.kube.exists(AVATAR_MODEL, "ann")


async def test_a_deletion_ends_even_if_the_backend_never_answers_again(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    for verb in ("attempt_outcome", "revoke_claim", "delete_model_data"):
        world.backend.script(verb, *[out_of_reach()] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(601)

    for kind in (AVATAR_MODEL, AVATAR_RUNTIME, AVATAR_MODEL):
        await world.settle(kind)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert "CleanupIncomplete" in world.kube.reasons()


async def test_what_the_backend_stored_goes_even_while_the_rest_cannot(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.backend.script("delete_model_data", denied())

    await world.look_at(AVATAR_MODEL)

    assert world.backend.asked("delete_outcomes") == ["ann"]
    assert world.kube.exists(AVATAR_MODEL, "ann")


async def test_a_deletion_waits_for_what_the_backend_itself_stored(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.backend.script("delete_outcomes", CleanupReport(("s3://models/out/1.out: locked",)))

    refused = await world.look_at(AVATAR_MODEL)

    assert refused.retrying is not None
    assert "1.out: locked" in refused.retrying.message
    assert world.kube.exists(AVATAR_MODEL, "ann")


async def test_what_a_deletion_could_not_remove_is_written_down_before_the_model_goes(world: World) -> None:
    await world.train()
    world.backend.script("delete_model_data", *[denied()] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(601)

    await world.settle(AVATAR_MODEL)
    assert world.kube.exists(AVATAR_MODEL, "ann")
    assert set(world.brought_back) == {"standard"}
    await world.settle(AVATAR_RUNTIME)
    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    (entry,) = world.runtime.status.left_behind
    assert (entry.kind, entry.namespace, entry.name, entry.uid) == ("AvatarModel", "team-a", "ann", MODEL_UID)
    assert f"s3://models/artifacts/team-a/{MODEL_UID}/" in entry.locations
    assert {"CleanupIncomplete", "LeftBehind"} <= set(world.kube.reasons())


async def test_a_crash_between_handing_over_and_writing_down_loses_nothing(world: World) -> None:
    await world.train()
    world.backend.script("delete_model_data", *[denied()] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(601)
    await world.settle(AVATAR_MODEL)

    world.crash()
    await world.settle(AVATAR_RUNTIME)
    assert world.runtime.status.left_behind == []
    for kind in (AVATAR_MODEL, AVATAR_RUNTIME, AVATAR_MODEL):
        await world.settle(kind)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert [entry.uid for entry in world.runtime.status.left_behind] == [MODEL_UID]


async def test_nothing_is_remembered_of_a_model_that_is_gone(world: World) -> None:
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert len(world.models._memory) == 0


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_a_model_that_never_trained_can_be_deleted(world: World, policy: str) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True, "deletionPolicy": policy})
    await world.settle(AVATAR_MODEL)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
