"""Belief: nothing is deleted that somebody still has, or that serves, because a runtime's status says so."""

from datetime import UTC, datetime
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntimeStatus, EndpointStatus, LeftBehind
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.left_behind.last_removal import LONGEST_ATTEMPT_SECONDS
from avatar_operator.runtime_lifecycle.belief import believed_left_behind
from avatar_operator.runtime_lifecycle.phases.leftovers import next_try
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, a_model, a_runtime
from builders.observations import at
from builders.world import World


@pytest.fixture
async def world() -> World:
    """An operator, a runtime and a model."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    return world


def an_entry(**changes: Any) -> LeftBehind:
    entry = LeftBehind(
        kind="AvatarModel",
        namespace="team-a",
        name="ann",
        uid=MODEL_UID,
        locations=[f"s3://models/artifacts/team-a/{MODEL_UID}/"],
        since=NOON,
        tries=0,
    )
    return entry.model_copy(update=changes)


def believed(entry: LeftBehind, *, model: bool = False, deleted_at: datetime | None = None) -> bool:
    cache = ObjectCache()
    if model:
        cache.store(AVATAR_MODEL, a_model(deleted_at=deleted_at).to_wire())
    runtime = a_runtime(status=AvatarRuntimeStatus(left_behind=[entry]))
    return believed_left_behind(runtime, cache, NOON) == [entry]


def test_what_is_left_of_an_object_that_is_gone_or_going_is_removed() -> None:
    assert believed(an_entry())
    assert believed(an_entry(), model=True, deleted_at=NOON)


@pytest.mark.parametrize(
    "forged",
    [
        {"since": datetime(9999, 12, 31, tzinfo=UTC)},
        {"tries": 2**31},
        {"may_grow_until": datetime(9999, 12, 31, tzinfo=UTC)},
    ],
    ids=["since the end of time", "tried for ever", "growing until the end of time"],
)
def test_an_entry_holds_its_place_no_longer_than_the_operators_own_whatever_times_it_claims(
    forged: dict[str, Any],
) -> None:
    runtime = a_runtime(status=AvatarRuntimeStatus(left_behind=[an_entry(**forged)]))

    (entry,) = believed_left_behind(runtime, ObjectCache(), at(10))

    assert next_try(entry) <= at(310)
    assert entry.may_grow_until is None or entry.may_grow_until <= at(10 + LONGEST_ATTEMPT_SECONDS)


def test_an_entry_that_the_operator_has_tried_as_often_as_there_was_time_for_is_believed_as_it_is() -> None:
    entry = an_entry(tries=3)
    runtime = a_runtime(status=AvatarRuntimeStatus(left_behind=[entry]))

    assert believed_left_behind(runtime, ObjectCache(), at(300 + 600 + 1200)) == [entry]


def test_nothing_is_removed_of_an_object_that_somebody_still_has() -> None:
    assert not believed(an_entry(), model=True)


@pytest.mark.parametrize(
    "place",
    [
        "s3://models/artifacts/",
        f"s3://models/artifacts/team-b/{MODEL_UID}/",
        f"s3://models/artifacts/../team-a/{MODEL_UID}/",
        f"s3://models/artifacts/team-a/{REQUEST_UID}/",
    ],
)
def test_nothing_is_removed_or_marked_that_is_not_named_for_the_object(place: str) -> None:
    assert not believed(an_entry(locations=[place]))
    assert not believed(an_entry(locations=[], retained=[place]))


def test_pictures_may_lie_below_a_prefix_of_the_users_own() -> None:
    entry = an_entry(kind="AvatarRequest", uid=REQUEST_UID, locations=[f"s3://albums/summer/{REQUEST_UID}/"])

    assert believed(entry)


async def test_an_entry_of_a_living_model_is_said_and_not_followed(world: World) -> None:
    await world.train()
    forged = world.runtime.status.model_copy(update={"left_behind": [an_entry(uid=world.model.metadata.uid)]})
    world.kube.force_status(AVATAR_RUNTIME, "standard", forged.to_wire())

    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("delete_owned") == []
    assert world.runtime.status.left_behind == []
    told = find_condition(world.runtime.status.conditions, "StatusTrusted")
    assert told is not None
    assert (told.status, told.reason) == ("False", "StatusForeign")


async def test_an_endpoint_that_serves_is_not_retired_under_another_role(world: World) -> None:
    serving = [
        EndpointStatus(role="Training", name="avatar-training", state="InService"),
        EndpointStatus(role="Inference", name="avatar-inference", state="InService"),
    ]
    facts = EndpointsFacts(True, "InService", "all endpoints serve", tuple(serving))
    world.backend.script("ensure_endpoints", *(3 * [facts]))
    swapped = [
        EndpointStatus(
            role="Inference" if endpoint.role == "Training" else "Training",
            name=endpoint.name,
            state="InService",
        )
        for endpoint in serving
    ]
    forged = world.runtime.status.model_copy(update={"endpoints": [*serving, *swapped]})
    world.kube.force_status(AVATAR_RUNTIME, "standard", forged.to_wire())

    await world.settle(AVATAR_RUNTIME)
    world.clock.advance(600)
    await world.settle(AVATAR_RUNTIME)

    assert world.backend.asked("ensure_endpoints")
    assert world.backend.asked("retire_endpoint") == []
    assert world.runtime.status.endpoints == serving
