"""What generic tools read from a request: Ready, Reconciling, Stalled, and the word in the column."""

import pytest

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.request_lifecycle.lifecycle import summarise
from builders import model_stages, request_stages
from builders.clock import NOON
from builders.objects import a_condition, a_request
from builders.observations import observed_request, request_draft
from builders.world import World

WAITING = AvatarRequestStatus(conditions=[a_condition("Succeeded", "Unknown", "WaitingForModel")])
FAILED = AvatarRequestStatus(
    conditions=[a_condition("Succeeded", "False", "ModelReplaced", "Another person.")]
)


@pytest.mark.parametrize(
    ("status", "deleting", "state", "ready", "reconciling", "stalled"),
    [
        (WAITING, False, "Pending", "False", "True", "False"),
        (request_stages.drawing(), False, "Running", "False", "True", "False"),
        (request_stages.succeeded(), False, "Succeeded", "True", "False", "False"),
        (FAILED, False, "Failed", "False", "False", "True"),
        (request_stages.succeeded(), True, "Deleting", None, "True", "False"),
        (FAILED, True, "Deleting", None, "True", "False"),
        (AvatarRequestStatus(), False, "Pending", None, None, None),
    ],
    ids=["waiting", "drawing", "drawn", "failed", "deleting", "deleting a failed one", "not looked at"],
)
def test_tools_see_what_the_conditions_say(
    status: AvatarRequestStatus,
    *,
    deleting: bool,
    state: str,
    ready: str | None,
    reconciling: str | None,
    stalled: str | None,
) -> None:
    observation = observed_request(a_request(status=status, deleted_at=NOON if deleting else None))

    summary = summarise(observation, request_draft(observation)).status

    said = {condition.type: condition.status for condition in summary.conditions}
    assert summary.state == state
    assert (said.get("Ready"), said.get("Reconciling"), said.get("Stalled")) == (ready, reconciling, stalled)
    assert summary.observed_generation == 1


def test_what_stalls_a_request_is_told_in_the_same_words() -> None:
    observation = observed_request(a_request(status=FAILED))

    summary = summarise(observation, request_draft(observation)).status

    conditions = {condition.type: condition for condition in summary.conditions}
    for name in ("Ready", "Stalled"):
        assert (conditions[name].reason, conditions[name].message) == ("ModelReplaced", "Another person.")


# what may be edited


@pytest.fixture
async def world() -> World:
    """A request that has succeeded."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
    world.add_request()
    await world.settle(AVATAR_REQUEST)
    assert world.request.status.state == "Succeeded"
    return world


async def test_a_finished_request_that_gets_a_time_to_live_deletes_itself_when_it_is_over(
    world: World,
) -> None:
    world.clock.advance(60)
    world.kube.edit(AVATAR_REQUEST, "portraits", {"ttlSecondsAfterFinished": 100})

    edited = await world.settle(AVATAR_REQUEST)
    assert edited.requeue_after == 40
    assert world.request.status.observed_generation == 2
    world.clock.advance(40)
    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_a_time_to_live_that_is_taken_back_keeps_the_request(world: World) -> None:
    world.kube.edit(AVATAR_REQUEST, "portraits", {"ttlSecondsAfterFinished": 100})
    await world.settle(AVATAR_REQUEST)
    world.kube.edit(AVATAR_REQUEST, "portraits", {"ttlSecondsAfterFinished": None})
    world.clock.advance(200)

    await world.settle(AVATAR_REQUEST)

    assert world.kube.exists(AVATAR_REQUEST, "portraits")


@pytest.mark.parametrize(("policy", "deletions"), [("Retain", 0), ("Delete", 1)])
async def test_the_deletion_policy_of_the_end_counts(world: World, policy: str, deletions: int) -> None:
    other = "Delete" if policy == "Retain" else "Retain"
    world.kube.edit(AVATAR_REQUEST, "portraits", {"deletionPolicy": other})
    await world.settle(AVATAR_REQUEST)
    world.kube.edit(AVATAR_REQUEST, "portraits", {"deletionPolicy": policy})
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")

    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")
    assert len(world.backend.asked("delete_request_data")) == deletions


async def test_an_edit_draws_nothing_again(world: World) -> None:
    drawn = len(world.backend.asked("draw"))
    finished = world.request.status
    world.kube.edit(AVATAR_REQUEST, "portraits", {"ttlSecondsAfterFinished": 10000})

    await world.settle(AVATAR_REQUEST)

    assert len(world.backend.asked("draw")) == drawn
    assert world.request.status.images == finished.images
    assert world.request.status.start_time == finished.start_time
