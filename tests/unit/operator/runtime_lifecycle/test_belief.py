"""Belief: nothing is deleted that somebody still has, or that serves, because a runtime's status says so."""

from datetime import datetime
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntimeStatus, EndpointStatus, LeftBehind
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.runtime_lifecycle.belief import believed_left_behind
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, a_model, a_runtime
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
    return believed_left_behind(a_runtime(status=AvatarRuntimeStatus(left_behind=[entry])), cache) == [entry]


def test_what_is_left_of_an_object_that_is_gone_or_going_is_removed() -> None:
    assert believed(an_entry())
    assert believed(an_entry(), model=True, deleted_at=NOON)


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
