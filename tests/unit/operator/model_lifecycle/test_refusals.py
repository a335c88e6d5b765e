"""A refused model is told of as every failure is: once, on the object, as an Event and as a CloudEvent."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.attempts import AttemptFailed
from avatar_operator.core.conditions import find_condition
from builders.backend import denied
from builders.manifests import Changes
from builders.objects import photos
from builders.world import MODEL_KEY, World

FAILED = "dev.avatars.model.failed.v1alpha1"
REFUSED_BY_SPEC = pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"photos": {"s3Prefix": "s3://elsewhere/"}}, "PhotosNotAllowed"),
        ({"training": {"rank": 100}}, "LimitExceeded"),
        ({"activeDeadlineSeconds": 86400}, "LimitExceeded"),
    ],
)
REFUSED_BY_PHOTOS = pytest.mark.parametrize(
    ("found", "reason"),
    [
        (photos(3), "PhotoCountOutOfLimits"),
        (photos(100), "PhotoCountOutOfLimits"),
        (denied("PhotosNotFound"), "PhotosNotFound"),
    ],
    ids=["too few", "too many", "none"],
)


def _is_told(world: World, reason: str) -> None:
    """The refusal is told, by all means, exactly once."""
    failure = world.model.status.last_failure
    assert failure is not None
    assert failure.reason == reason
    (event,) = [event for event in world.kube.events.values() if event["reason"] == reason]
    assert event["type"] == "Warning"
    assert event["note"] == failure.message
    (announcement,) = world.announcer.announced
    assert announcement.type == FAILED
    assert announcement.data == {"reason": reason, "message": failure.message}
    stalled = find_condition(world.model.status.conditions, "Stalled")
    assert stalled is not None
    assert (stalled.status, stalled.reason) == ("True", reason)


async def _look_again(world: World) -> None:
    for _ in range(10):
        world.clock.advance(30)
        await world.look_at(AVATAR_MODEL)
    world.crash()
    await world.look_at(AVATAR_MODEL)


@REFUSED_BY_SPEC
async def test_a_refusal_of_what_was_asked_for_is_told_once(world: World, spec: Changes, reason: str) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", spec)
    await world.settle(AVATAR_MODEL)
    await world.renew_lease()

    await _look_again(world)

    _is_told(world, reason)


async def test_a_refusal_of_the_namespace_is_told_once(world: World) -> None:
    world.kube.edit(AVATAR_RUNTIME, "standard", {"tenancy": {"allowedNamespaces": ["team-b"]}})
    await world.settle(AVATAR_MODEL)
    await world.renew_lease()

    await _look_again(world)

    _is_told(world, "NamespaceNotAllowed")


@REFUSED_BY_PHOTOS
async def test_a_refusal_of_the_photos_is_told_once_and_says_when_they_are_looked_for_again(
    world: World, found: object, reason: str
) -> None:
    world.backend.script("list_photos", *[found] * 20)
    await world.settle(AVATAR_MODEL)
    await world.renew_lease()

    await _look_again(world)

    _is_told(world, reason)
    assert "looked for again every 30 s" in str(world.announcer.announced[0].data["message"])


async def test_photos_that_arrive_later_are_seen_without_anybody_asking(world: World) -> None:
    world.backend.script("list_photos", denied("PhotosNotFound"))
    refused = await world.look_at(AVATAR_MODEL)
    assert world.model.status.last_failure is not None
    assert refused.requeue_after == 30
    assert refused.retrying is None, "the queue's back-off would grow to minutes"

    world.clock.advance(30)
    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is None
    assert world.model.status.state == "Queued"


@REFUSED_BY_SPEC
async def test_a_correction_clears_the_refusal_and_the_training_begins(
    world: World, spec: Changes, reason: str
) -> None:
    before = world.model.spec.to_wire()["photos"]
    world.kube.edit(AVATAR_MODEL, "ann", spec)
    await world.settle(AVATAR_MODEL)
    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == reason

    world.kube.edit(AVATAR_MODEL, "ann", {**dict.fromkeys(spec), "photos": before})
    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is None
    assert world.model.status.state == "Queued"


async def test_the_same_refusal_after_a_correction_is_told_again(world: World) -> None:
    for rank in (100, 8, 100):
        world.clock.advance(10)
        world.kube.edit(AVATAR_MODEL, "ann", {"training": {"rank": rank}, "suspend": True})
        await world.settle(AVATAR_MODEL)

    assert [announcement.type for announcement in world.announcer.announced] == [FAILED, FAILED]


async def test_a_model_without_its_runtime_waits_and_has_not_failed(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"runtimeRef": {"name": "none"}})

    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is None
    assert world.announcer.announced == []
    reconciling = find_condition(world.model.status.conditions, "Reconciling")
    assert reconciling is not None
    assert (reconciling.status, reconciling.reason) == ("True", "RuntimeNotFound")


async def test_an_attempt_that_is_tried_again_has_not_failed_because_its_runtime_went_meanwhile(
    world: World,
) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", AttemptFailed("InternalError", "oops", retryable=True))
    world.models.hint_outcome(MODEL_KEY)
    await world.settle(AVATAR_MODEL)

    world.kube.remove_by_force(AVATAR_RUNTIME, "standard")
    await world.settle(AVATAR_MODEL)

    assert world.kube.reasons()[-1] == "TrainingAttemptFailed"
    assert world.announcer.announced == []


async def test_a_refusal_of_the_next_revision_leaves_what_is_hosted(world: World) -> None:
    await world.train()
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2, "training": {"rank": 200}})

    await world.settle(AVATAR_MODEL)

    status: AvatarModelStatus = world.model.status
    assert status.artifact is not None
    assert status.last_failure is not None
    ready = find_condition(status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.message) == ("True", "Serving revision 1. Revision 2: LimitExceeded.")
