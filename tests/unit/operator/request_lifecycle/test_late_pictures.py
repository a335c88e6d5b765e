"""A call that nobody heard the end of may still store pictures: the request goes when it no longer can."""

import pytest

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.left_behind.actions import DataDeleted
from avatar_operator.request_lifecycle.notes import DrawingNotes
from avatar_operator.request_lifecycle.phases.deletion import fold_cleanup
from builders import model_stages, request_stages
from builders.backend import denied, out_of_reach
from builders.objects import a_request
from builders.observations import at, observed_request, request_draft
from builders.world import World

CLEAN = DataDeleted(CleanupReport())


@pytest.fixture
async def world() -> World:
    """A request whose drawing has begun."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
    world.add_request({"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}]})
    await world.look_at(AVATAR_REQUEST)
    return world


async def _delete(world: World) -> None:
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")
    await world.settle(AVATAR_REQUEST)


async def test_a_request_whose_calls_were_answered_goes_at_once(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)

    await _delete(world)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_a_request_that_has_not_called_yet_goes_at_once(world: World) -> None:
    await _delete(world)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_a_request_whose_call_timed_out_stays_until_it_must_have_ended(world: World) -> None:
    world.backend.script("draw", out_of_reach("InvocationTimedOut"))
    await world.look_at(AVATAR_REQUEST)

    await _delete(world)
    world.clock.advance(69)
    held = await world.settle(AVATAR_REQUEST)
    assert world.kube.exists(AVATAR_REQUEST, "portraits")
    world.clock.advance(1)
    await world.settle(AVATAR_REQUEST)

    assert held.requeue_after == 1
    assert not world.kube.exists(AVATAR_REQUEST, "portraits")
    assert len(world.backend.asked("delete_request_data")) == 4


async def test_a_call_that_another_process_made_may_be_under_way(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)
    world.crash()

    await _delete(world)
    assert world.kube.exists(AVATAR_REQUEST, "portraits")
    world.clock.advance(70)
    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_a_finished_request_goes_at_once_whoever_drew_it_long_ago(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    world.crash()
    world.clock.advance(70)

    await _delete(world)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_a_refusal_is_an_answer(world: World) -> None:
    world.backend.script("draw", denied("PromptTooLong"))
    await world.settle(AVATAR_REQUEST)

    await _delete(world)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


@pytest.mark.parametrize(
    ("status", "answered", "deleted", "goes"),
    [
        (request_stages.drawing(), False, 10, 80),
        (request_stages.drawing(), True, 10, 10),
        (request_stages.succeeded(), False, 10, 70),
        (request_stages.succeeded(), False, 300, 300),
        (request_stages.succeeded(), True, 10, 10),
    ],
)
def test_a_request_goes_a_calls_length_after_the_last_that_may_have_been_made(
    status: AvatarRequestStatus, *, answered: bool, deleted: int, goes: int
) -> None:
    request = a_request(deleted_at=at(deleted), status=status)
    notes = DrawingNotes(all_answered=answered)
    for now in (deleted, max(deleted, goes - 1), goes):
        observation = observed_request(request, now=at(now), notes=notes)

        draft = fold_cleanup(observation, request_draft(observation), CLEAN)

        assert (draft.finalizer == "Remove") == (now >= goes)
        assert draft.requeue_after == (None if now >= goes else goes - now)
