"""The whole life of an AvatarModel, pass by pass, through the real reconciler."""

import pytest

from avatar_api.avatar_model import ModelState
from avatar_api.documents.training import Stage
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, FINALIZER
from avatar_operator.backends.base import (
    AttemptFailed,
    AttemptPending,
    BackendError,
    ClaimedByWorker,
    OutcomeUnknownError,
)
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.errors import RetryLaterError
from avatar_operator.names import inference_id
from builders.backend import a_success, denied, out_of_reach
from builders.manifests import Changes
from builders.objects import MODEL_UID, photos
from builders.observations import a_progress_message
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
SECOND = inference_id(MODEL_UID, 1, 2)


@pytest.fixture
async def world() -> World:
    """A runtime in service and a new model."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    return world


async def _train(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    training = world.model.status.training
    assert training is not None
    assert training.inference_id is not None
    world.backend.script("attempt_outcome", a_success(training.inference_id))
    world.models.hint_outcome(MODEL_KEY)
    await world.settle(AVATAR_MODEL)


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
    await _train(world)

    assert world.kube.writes["apply_status", "AvatarModel"] == 3


async def test_a_hosted_model_is_left_in_peace(world: World) -> None:
    await _train(world)
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


async def test_a_lost_answer_is_fenced_before_another_attempt(world: World) -> None:
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("fence_attempt") == [FIRST]
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST, SECOND]


async def test_a_lost_answer_whose_attempt_runs_is_taken_over(world: World) -> None:
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))
    world.backend.script(
        "fence_attempt", ClaimedByWorker("s3://models/out/x.out", "s3://models/failed/x.out")
    )

    await world.settle(AVATAR_MODEL)

    assert len(world.backend.asked("submit_training")) == 1
    training = world.model.status.training
    assert training is not None
    assert (training.inference_id, training.output_location) == (FIRST, "s3://models/out/x.out")
    assert world.model.status.state == "Queued"


async def test_a_lost_answer_is_not_forgotten_when_the_spec_changes_in_the_same_pass(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"retention": {"expireAfterSeconds": 600}})
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))

    await world.settle(AVATAR_MODEL)

    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST, SECOND]
    assert world.backend.asked("fence_attempt") == [FIRST]


async def test_a_crash_between_plan_and_call_is_fenced(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    world.crash()

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("fence_attempt") == [FIRST]
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [SECOND]


async def test_a_crash_between_call_and_record_is_fenced(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    world.kube.fail_next("apply_status")
    with pytest.raises(Exception, match="injected"):
        await world.look_at(AVATAR_MODEL)
    world.crash()
    world.backend.script("fence_attempt", ClaimedByWorker())

    await world.settle(AVATAR_MODEL)

    assert len(world.backend.asked("submit_training")) == 1
    assert world.model.status.state == "Queued"


async def test_a_refused_record_of_a_submission_is_fenced_by_the_same_process(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    world.kube.fail_next("apply_status")
    with pytest.raises(Exception, match="injected"):
        await world.look_at(AVATAR_MODEL)

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("fence_attempt") == [FIRST]


async def test_a_submission_that_was_certainly_refused_is_tried_again_under_the_same_name(
    world: World,
) -> None:
    world.backend.script("submit_training", out_of_reach("Throttled"))
    await world.look_at(AVATAR_MODEL)
    delayed = await world.look_at(AVATAR_MODEL)

    assert delayed.retry_at_least == 0.0
    trained = find_condition(world.model.status.conditions, "Trained")
    assert trained is not None
    assert trained.reason == "SubmissionDelayed"
    await world.settle(AVATAR_MODEL)
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST, FIRST]
    assert world.backend.asked("fence_attempt") == []


async def test_a_submission_that_was_refused_for_good_fails_the_model(world: World) -> None:
    world.backend.script("submit_training", denied())

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Failed"
    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "AccessDenied"


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

    await _train(world)

    assert world.model.status.state == "Ready"


async def test_a_raised_revision_trains_again_while_the_old_one_serves(world: World) -> None:
    await _train(world)
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    await world.settle(AVATAR_MODEL)

    ready = find_condition(world.model.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.message) == ("True", "Serving revision 1. Revision 2: Queued.")
    await _train(world)
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.revision == 2


async def test_a_raised_revision_is_held_to_the_limits(world: World) -> None:
    await _train(world)
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

    assert world.backend.asked("cancel_attempt") == [FIRST]
    assert world.backend.asked("submit_training")[-1].inference_id == inference_id(MODEL_UID, 2, 1)


async def test_the_outcome_is_asked_for_only_when_there_is_a_reason(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    asked = len(world.backend.asked("attempt_outcome"))

    for _ in range(5):
        world.clock.advance(60)
        await world.look_at(AVATAR_MODEL)

    assert len(world.backend.asked("attempt_outcome")) == asked == 1


async def test_an_outcome_whose_record_was_refused_is_asked_for_again(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", a_success(FIRST), a_success(FIRST))
    world.models.hint_outcome(MODEL_KEY)
    world.kube.fail_next("apply_status")
    with pytest.raises(Exception, match="injected"):
        await world.look_at(AVATAR_MODEL)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"


async def test_an_outcome_that_cannot_be_read_is_asked_for_again(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", out_of_reach(), a_success(FIRST))
    world.models.hint_outcome(MODEL_KEY)
    refused = await world.look_at(AVATAR_MODEL)

    assert refused.retry_at_least == 0.0
    await world.settle(AVATAR_MODEL)
    assert world.model.status.state == "Ready"


@pytest.mark.parametrize("error", [out_of_reach(), denied()], ids=["out of reach", "denied"])
async def test_an_attempt_is_overdue_though_its_outcome_cannot_be_read(
    world: World, error: BackendError
) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", *[error] * 50)
    world.models.hint_outcome(MODEL_KEY)
    world.clock.advance(7200)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "DeadlineExceeded"


async def test_a_hint_that_comes_while_the_outcome_is_asked_for_is_not_lost(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    answer = world.backend.attempt_outcome

    async def hinted_meanwhile(*arguments: object) -> object:
        outcome = await answer(*arguments)  # type: ignore[arg-type]
        world.models.hint_outcome(MODEL_KEY)
        return outcome

    world.models.hint_outcome(MODEL_KEY)
    world.backend.attempt_outcome = hinted_meanwhile  # type: ignore[method-assign,assignment]
    await world.look_at(AVATAR_MODEL)
    world.backend.attempt_outcome = answer  # type: ignore[method-assign]
    world.backend.script("attempt_outcome", a_success(FIRST))
    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"


async def test_an_older_progress_message_says_nothing(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.models.hint_progress(MODEL_KEY, a_progress_message("Training", 50, sequence=9))
    world.models.hint_progress(MODEL_KEY, a_progress_message("Preparing", 0, sequence=3))

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Training"


async def test_a_hosted_model_survives_the_loss_of_its_runtime(world: World) -> None:
    await _train(world)
    world.kube.remove_by_force(AVATAR_RUNTIME, "standard")

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"


async def test_an_expired_model_deletes_itself_and_its_data(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"retention": {"expireAfterSeconds": 600}})
    await _train(world)
    world.clock.advance(600)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.backend.asked("delete_model_data") == [True]
    assert "Expired" in world.kube.reasons()


async def test_a_deleted_model_is_let_go_when_its_data_is_gone(world: World) -> None:
    await _train(world)
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
    await _train(world)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.backend.script("delete_model_data", out_of_reach())

    with pytest.raises(RetryLaterError):
        await world.look_at(AVATAR_MODEL)

    assert world.kube.exists(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)
    assert not world.kube.exists(AVATAR_MODEL, "ann")


async def test_a_deletion_ends_even_if_the_backend_never_answers_again(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    for verb in ("attempt_outcome", "cancel_attempt", "delete_model_data"):
        world.backend.script(verb, *[out_of_reach()] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(601)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert "ServiceUnavailable" in world.kube.reasons()


async def test_a_deletion_that_is_refused_for_good_ends_and_says_so(world: World) -> None:
    await _train(world)
    world.backend.script("delete_model_data", *[denied()] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(601)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert "AccessDenied" in world.kube.reasons()


async def test_nothing_is_remembered_of_a_model_that_is_gone(world: World) -> None:
    await _train(world)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert world.models._memories == {}


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_a_model_that_never_trained_can_be_deleted(world: World, policy: str) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True, "deletionPolicy": policy})
    await world.settle(AVATAR_MODEL)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
