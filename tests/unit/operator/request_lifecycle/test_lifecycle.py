"""The whole life of an AvatarRequest, pass by pass, through the real reconciler."""

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import Drawn, ModelLoading
from avatar_operator.core.conditions import find_condition
from builders import model_stages
from builders.backend import denied, out_of_reach
from builders.manifests import model_manifest
from builders.objects import REQUEST_UID
from builders.world import World


@pytest.fixture
async def world() -> World:
    """A runtime in service that announces, a hosted model and a new request."""
    world = World()
    world.add_runtime({"notifications": {"statusTopicARN": "arn:aws:sns:eu-central-1:123456789012:status"}})
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
    world.add_request({"prompts": [{"prompt": "x", "numImages": 6, "seed": 1}]})
    return world


async def test_the_way_from_prompts_to_pictures(world: World) -> None:
    states = []
    for _ in range(5):
        await world.look_at(AVATAR_REQUEST)
        states.append(world.request.status.state)

    assert states == ["Running", "Running", "Running", "Succeeded", "Succeeded"]
    assert [len(call.pictures) for call in world.backend.asked("draw")] == [4, 2]
    assert len(world.request.status.images) == 6
    assert "PicturesDrawn" in world.kube.reasons()
    told = [
        announcement.type for announcement in world.announcer.announced if announcement.kind == AVATAR_REQUEST
    ]
    assert told == ["dev.avatars.request.succeeded.v1alpha1"]


async def test_a_whole_life_costs_two_status_writes(world: World) -> None:
    await world.settle(AVATAR_REQUEST)

    assert world.kube.writes["apply_status", "AvatarRequest"] == 2


async def test_a_life_that_begins_before_its_model_costs_three_status_writes(world: World) -> None:
    world.kube.force_status(AVATAR_MODEL, "ann", {})
    await world.settle(AVATAR_REQUEST)
    for status in (model_stages.planned(), model_stages.submitted(), model_stages.hosted()):
        world.kube.force_status(AVATAR_MODEL, "ann", status.to_wire())
        await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"
    assert world.kube.writes["apply_status", "AvatarRequest"] == 3


async def test_a_finished_request_is_left_in_peace(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    writes, calls = world.kube.writes.copy(), len(world.backend.calls)

    for _ in range(50):
        world.clock.advance(300)
        await world.look_at(AVATAR_REQUEST)

    assert world.kube.writes == writes
    assert len(world.backend.calls) == calls


async def test_a_finished_request_keeps_its_pictures_when_its_model_is_trained_again(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    status = world.request.status
    retrained = model_stages.hosted(revision=2)
    world.kube.force_status(AVATAR_MODEL, "ann", retrained.to_wire())

    await world.settle(AVATAR_REQUEST)

    assert world.request.status == status


async def test_a_crash_repeats_no_picture_that_was_drawn(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    world.crash()

    await world.settle(AVATAR_REQUEST)

    drawn = [picture.image_index for call in world.backend.asked("draw") for picture in call.pictures]
    assert drawn == [0, 1, 2, 3, 4, 5]


async def test_a_model_that_is_being_loaded_is_asked_again_soon(world: World) -> None:
    world.backend.script("draw", ModelLoading())
    await world.look_at(AVATAR_REQUEST)

    loading = await world.look_at(AVATAR_REQUEST)

    assert loading.requeue_after == 2.0
    assert loading.result == "unchanged"


async def test_timings_tell_queueing_loading_and_drawing_apart(world: World) -> None:
    world.clock.advance(10)
    world.backend.script("draw", ModelLoading(), Drawn(generate_seconds=1.5), Drawn(generate_seconds=0.5))
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    world.clock.advance(20)

    await world.settle(AVATAR_REQUEST)

    timings = world.request.status.timings
    assert timings is not None
    assert (timings.queued, timings.cold_load, timings.generate) == ("10.000", "20.000", "2.000")


async def test_drawing_that_fails_is_tried_again_with_back_off(world: World) -> None:
    world.backend.script("draw", out_of_reach())
    await world.look_at(AVATAR_REQUEST)

    failed = await world.look_at(AVATAR_REQUEST)

    assert failed.retrying is not None
    assert failed.retrying.reason == "ServiceUnavailable"
    assert failed.result == "unchanged"
    await world.settle(AVATAR_REQUEST)
    assert world.request.status.state == "Succeeded"


async def test_trouble_with_drawing_ends_at_the_deadline_which_names_the_last_failure(world: World) -> None:
    world.backend.script("draw", *[out_of_reach("Throttled")] * 100)
    await world.look_at(AVATAR_REQUEST)

    for _ in range(60):
        assert world.request.status.state == "Running"
        await world.look_at(AVATAR_REQUEST)
        world.clock.advance(60)
    await world.look_at(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert world.request.status.state == "Failed"
    assert failure is not None
    assert failure.reason == "DeadlineExceeded"
    assert failure.message.endswith("The last try: The service does not answer.")
    assert len(world.backend.asked("draw")) == 60


async def test_pictures_that_were_drawn_in_time_are_no_failure_when_the_operator_was_away(
    world: World,
) -> None:
    for _ in range(3):
        await world.look_at(AVATAR_REQUEST)
    assert len(world.backend.pictures) == 6
    world.crash()
    world.clock.advance(30_000)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"


async def test_drawing_that_is_refused_for_good_fails_the_request_at_once(world: World) -> None:
    world.backend.script("draw", denied("PictureTooLarge"))

    await world.settle(AVATAR_REQUEST)

    succeeded = find_condition(world.request.status.conditions, "Succeeded")
    assert succeeded is not None
    assert (succeeded.status, succeeded.reason) == ("False", "PictureTooLarge")
    assert len(world.backend.asked("draw")) == 1


async def test_pictures_that_no_session_can_be_limited_to_fail_the_request_before_anybody_looks(
    world: World,
) -> None:
    world.backend.obstacle = denied("SessionPolicyTooLong")

    await world.settle(AVATAR_REQUEST)

    accepted = find_condition(world.request.status.conditions, "Accepted")
    assert accepted is not None
    assert (accepted.status, accepted.reason) == ("False", "SessionPolicyTooLong")
    assert world.request.status.state == "Failed"
    assert world.backend.asked("existing_pictures") == world.backend.asked("draw") == []


async def test_storage_that_does_not_answer_is_asked_again(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)
    world.backend.script("existing_pictures", out_of_reach())

    refused = await world.look_at(AVATAR_REQUEST)

    assert refused.result == "unchanged"
    assert refused.retrying is not None
    await world.settle(AVATAR_REQUEST)
    assert world.request.status.state == "Succeeded"


async def test_storage_that_is_refused_for_good_fails_the_request(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)
    world.backend.script("existing_pictures", *[denied()] * 50)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Failed"
    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "AccessDenied"


async def test_an_overdue_request_fails_though_storage_does_not_answer(world: World) -> None:
    await world.look_at(AVATAR_REQUEST)
    world.backend.script("existing_pictures", *[out_of_reach()] * 50)
    world.clock.advance(3600)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "DeadlineExceeded"


async def test_a_request_reaches_no_model_of_another_namespace(world: World) -> None:
    world.kube.remove_by_force(AVATAR_MODEL, "ann")
    foreign = model_manifest(namespace="team-b")
    world.kube.create(AVATAR_MODEL, foreign)
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire(), namespace="team-b")

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Pending"
    assert world.backend.asked("draw") == []


async def test_a_deleted_request_takes_its_pictures_with_it(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")

    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")
    assert world.backend.asked("delete_request_data") == ["portraits"]


async def test_pictures_are_found_though_the_model_was_deleted_first(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    world.kube.remove_by_force(AVATAR_MODEL, "ann")
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")

    await world.settle(AVATAR_REQUEST)

    assert world.backend.asked("delete_request_data") == ["portraits"]


@pytest.mark.parametrize("answer", [CleanupReport(left_behind=("s3://x",)), out_of_reach(), denied()])
async def test_a_deletion_ends_when_the_runtime_has_written_down_what_stays(
    world: World, answer: object
) -> None:
    await world.settle(AVATAR_REQUEST)
    world.backend.script("delete_request_data", *[answer] * 50)
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")
    assert (await world.look_at(AVATAR_REQUEST)).retrying is not None
    assert world.kube.exists(AVATAR_REQUEST, "portraits")
    world.clock.advance(600)

    await world.settle(AVATAR_REQUEST)
    assert world.kube.exists(AVATAR_REQUEST, "portraits")
    await world.settle(AVATAR_RUNTIME)
    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")
    assert "CleanupIncomplete" in world.kube.reasons()
    (entry,) = world.runtime.status.left_behind
    assert (entry.uid, entry.locations) == (REQUEST_UID, [f"s3://pictures/team-a/{REQUEST_UID}/"])


async def test_an_expired_request_deletes_itself_and_its_pictures(world: World) -> None:
    world.kube.remove_by_force(AVATAR_REQUEST, "portraits")
    world.add_request({"ttlSecondsAfterFinished": 60})
    await world.settle(AVATAR_REQUEST)
    world.clock.advance(60)

    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")
    assert world.backend.asked("delete_request_data") == ["portraits"]
