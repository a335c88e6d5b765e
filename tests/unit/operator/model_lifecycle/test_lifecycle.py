"""The whole life of an AvatarModel, pass by pass, through the real reconciler."""

import pytest

from avatar_api.avatar_model import ModelState
from avatar_api.documents.training import Stage
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, FINALIZER
from avatar_operator.backends.attempts import AttemptFailed, AttemptPending
from avatar_operator.core.conditions import find_condition
from avatar_operator.names import inference_id
from builders.backend import a_success
from builders.manifests import Changes
from builders.objects import MODEL_UID, photos
from builders.observations import a_progress_message
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
SECOND = inference_id(MODEL_UID, 1, 2)


async def test_the_way_from_photos_to_a_hosted_model(world: World) -> None:
    states: list[ModelState | None] = []

    async def look(times: int = 1) -> None:
        for _ in range(times):
            await world.look_at(AVATAR_MODEL)
            states.append(world.model.status.state)

    await look(3)
    steps: list[tuple[Stage, int]] = [("Preparing", 0), ("Training", 50), ("Packaging", 100)]
    for sequence, (stage, step) in enumerate(steps):
        world.models.hint_progress(MODEL_KEY, a_progress_message(stage, step, sequence=sequence))
        await look()
    world.backend.script("attempt_outcome", a_success(FIRST))
    world.models.hint_outcome(MODEL_KEY)
    await look(2)

    assert states == ["Queued", "Queued", "Queued", "Preparing", "Training", "Packaging", "Ready", "Ready"]
    assert world.kube.reasons() == ["EndpointsReady", "TrainingSubmitted", "ModelReady"]
    assert [announcement.type for announcement in world.announcer.announced] == [
        "dev.avatars.model.ready.v1alpha1"
    ]


async def test_the_finalizer_stands_before_anything_is_called(world: World) -> None:
    world.kube.fail_next("set_finalizers")

    with pytest.raises(Exception, match="injected"):
        await world.look_at(AVATAR_MODEL)

    assert world.backend.asked("submit_training") == []
    await world.look_at(AVATAR_MODEL)
    assert world.model.metadata.finalizers == (FINALIZER,)


async def test_the_plan_stands_in_the_status_before_the_call(world: World) -> None:
    await world.look_at(AVATAR_MODEL)

    assert world.backend.asked("submit_training") == []
    assert world.model.status.training is not None
    assert world.model.status.training.inference_id == FIRST
    await world.look_at(AVATAR_MODEL)
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST]


async def test_a_whole_life_costs_at_most_three_status_writes_beside_progress(world: World) -> None:
    await world.train()

    assert world.kube.writes["apply_status", "AvatarModel"] == 3


async def test_a_hosted_model_is_left_in_peace(world: World) -> None:
    await world.train()
    writes, calls = world.kube.writes.copy(), len(world.backend.calls)

    for _ in range(100):
        world.clock.advance(300)
        world.models.hint_outcome(MODEL_KEY)
        await world.look_at(AVATAR_MODEL)

    assert world.kube.writes == writes
    assert len(world.backend.calls) == calls


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"runtimeRef": {"name": "none"}}, "RuntimeNotFound"),
        ({"photos": {"s3Prefix": "s3://elsewhere/"}}, "PhotosNotAllowed"),
        ({"training": {"rank": 100}}, "LimitExceeded"),
        ({"suspend": True}, "Suspended"),
    ],
)
async def test_a_model_that_waits_is_written_once(world: World, spec: Changes, reason: str) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", spec)
    await world.settle(AVATAR_MODEL)
    writes = world.kube.writes["apply_status", "AvatarModel"]

    for _ in range(10):
        world.clock.advance(300)
        await world.look_at(AVATAR_MODEL)

    assert world.kube.writes["apply_status", "AvatarModel"] == writes == 1
    ready = find_condition(world.model.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", reason)


async def test_a_model_with_too_few_photos_is_written_once(world: World) -> None:
    world.backend.script("list_photos", *[photos(3)] * 20)
    await world.settle(AVATAR_MODEL)

    for _ in range(10):
        world.clock.advance(300)
        await world.look_at(AVATAR_MODEL)

    assert world.kube.writes["apply_status", "AvatarModel"] == 1
    assert world.model.status.state == "Failed"


async def test_uploading_the_missing_photos_lets_the_training_begin(world: World) -> None:
    world.backend.script("list_photos", photos(3))
    await world.look_at(AVATAR_MODEL)
    assert world.backend.asked("submit_training") == []

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Queued"


async def test_a_model_whose_namespace_is_not_admitted_never_has_its_photos_looked_at(world: World) -> None:
    world.kube.edit(AVATAR_RUNTIME, "standard", {"tenancy": {"allowedNamespaces": ["team-b"]}})

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("list_photos") == []


async def test_a_failed_attempt_is_tried_again_after_its_back_off(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", AttemptFailed("InternalError", "oops", retryable=True))
    world.models.hint_outcome(MODEL_KEY)
    waits = await world.settle(AVATAR_MODEL)
    assert waits.requeue_after == 30
    assert world.model.status.state == "Pending"

    world.clock.advance(30)
    await world.settle(AVATAR_MODEL)

    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST, SECOND]


async def test_a_plan_is_not_submitted_while_the_model_is_suspended(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("submit_training") == []
    assert world.model.status.state == "Suspended"


async def test_a_resumed_model_is_trained(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
    await world.settle(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": False})

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Queued"


async def test_a_running_attempt_goes_on_when_the_model_is_suspended(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    await world.train()

    assert world.model.status.state == "Ready"


async def test_a_raised_revision_trains_again_while_the_old_one_serves(world: World) -> None:
    await world.train()
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    await world.settle(AVATAR_MODEL)

    ready = find_condition(world.model.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.message) == ("True", "Serving revision 1. Revision 2: Queued.")
    await world.train()
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.revision == 2


async def test_a_raised_revision_is_held_to_the_limits(world: World) -> None:
    await world.train()
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2, "training": {"rank": 200}})

    await world.settle(AVATAR_MODEL)

    accepted = find_condition(world.model.status.conditions, "Accepted")
    assert accepted is not None
    assert accepted.reason == "LimitExceeded"
    assert len(world.backend.asked("submit_training")) == 1


async def test_a_revision_raised_during_a_training_stops_it_and_starts_the_next(world: World) -> None:
    world.backend.script("attempt_outcome", *[AttemptPending(check_after=5.0)] * 10)
    await world.settle(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("revoke_claim") == [FIRST]
    assert world.backend.asked("stop_training") == [FIRST]
    assert world.backend.asked("submit_training")[-1].inference_id == inference_id(MODEL_UID, 2, 1)


async def test_a_hosted_model_survives_the_loss_of_its_runtime(world: World) -> None:
    await world.train()
    world.kube.remove_by_force(AVATAR_RUNTIME, "standard")

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"
