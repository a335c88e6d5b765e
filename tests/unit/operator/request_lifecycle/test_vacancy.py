"""A request that failed before anything was drawn keeps no runtime from going; one that has pictures does."""

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.failures import BackendError
from avatar_operator.runtime_lifecycle.users import users_of
from builders import model_stages
from builders.backend import out_of_reach
from builders.world import World

PICTURES = {"prompts": [{"prompt": "sks person", "numImages": 2, "seed": 1}], "activeDeadlineSeconds": 60}
REFUSED = BackendError("InvalidConfiguration", "The worker cannot.", retryable=False)


@pytest.fixture
async def world() -> World:
    """A request whose drawing has begun."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
    world.add_request(PICTURES)
    await world.look_at(AVATAR_REQUEST)
    return world


def _uses_its_runtime(world: World) -> bool:
    return bool(users_of("standard", [], world.cache.objects(AVATAR_REQUEST)))


async def test_one_that_drew_nothing_is_waited_for_no_more_once_it_has_failed(world: World) -> None:
    assert _uses_its_runtime(world)
    world.backend.script("draw", REFUSED)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Failed"
    assert world.request.status.storage_prefix is None
    assert not _uses_its_runtime(world)
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")
    await world.settle(AVATAR_REQUEST)
    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_one_whose_call_may_still_be_drawing_is_looked_at_when_it_cannot_be_any_more(
    world: World,
) -> None:
    world.backend.script("draw", out_of_reach("InvocationTimedOut"))
    await world.look_at(AVATAR_REQUEST)
    world.clock.advance(61)
    held = await world.settle(AVATAR_REQUEST)
    assert (world.request.status.state, held.requeue_after) == ("Failed", 70.0)
    assert _uses_its_runtime(world)

    world.clock.advance(70)
    await world.settle(AVATAR_REQUEST)

    assert not _uses_its_runtime(world)


async def test_one_of_which_something_was_drawn_is_waited_for_and_looked_at_once(world: World) -> None:
    world.backend.script("draw", REFUSED)
    world.backend.script("holds_request_data", True)

    await world.settle(AVATAR_REQUEST)
    looks = len(world.backend.asked("holds_request_data"))
    await world.look_at(AVATAR_REQUEST)

    assert world.request.status.state == "Failed"
    assert _uses_its_runtime(world)
    assert len(world.backend.asked("holds_request_data")) == looks


async def test_where_nobody_can_look_the_runtime_waits_and_it_is_tried_again(world: World) -> None:
    world.backend.script("draw", REFUSED)
    world.backend.script("holds_request_data", out_of_reach())

    for _ in range(3):
        await world.look_at(AVATAR_REQUEST)
        if world.request.status.state == "Failed":
            break
    await world.look_at(AVATAR_REQUEST)
    assert _uses_its_runtime(world)
    await world.settle(AVATAR_REQUEST)

    assert not _uses_its_runtime(world)
