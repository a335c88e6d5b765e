"""Answers that never come, come late or say no: what a model's next pass makes of them."""

import pytest

from avatar_api.group import AVATAR_MODEL
from avatar_operator.backends.attempts import ArtifactFindings, ClaimedByWorker
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Retry
from avatar_operator.names import inference_id
from builders.backend import a_success, denied, out_of_reach
from builders.clock import NOON
from builders.objects import MODEL_UID
from builders.observations import a_progress_message
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
SECOND = inference_id(MODEL_UID, 1, 2)


async def test_a_lost_answer_is_fenced_before_another_attempt(world: World) -> None:
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))

    await world.settle(AVATAR_MODEL)

    assert world.backend.asked("fence_attempt") == [FIRST]
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST, SECOND]


async def test_a_request_document_that_could_not_be_written_was_certainly_not_submitted(world: World) -> None:
    world.backend.script("write_request", out_of_reach())

    await world.settle(AVATAR_MODEL)

    assert [request.inference_id for request in world.backend.asked("write_request")] == [FIRST, FIRST]
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST]
    assert world.backend.asked("fence_attempt") == []


async def test_a_success_whose_artifact_is_not_what_the_worker_says_is_a_failure(world: World) -> None:
    world.backend.script("examine_artifact", ArtifactFindings("it has 3 bytes, the worker says 4"))

    await world.train()

    assert world.model.status.artifact is None
    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "ArtifactInvalid"
    assert "it has 3 bytes" in world.model.status.last_failure.message


async def test_an_artifact_that_cannot_be_looked_at_is_looked_at_again(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", a_success(FIRST), a_success(FIRST))
    world.backend.script("examine_artifact", out_of_reach())
    world.models.hint_outcome(MODEL_KEY)

    refused = await world.look_at(AVATAR_MODEL)
    assert refused.retrying is not None
    await world.settle(AVATAR_MODEL)

    assert len(world.backend.asked("examine_artifact")) == 2
    assert world.model.status.state == "Ready"


async def test_a_lost_answer_whose_attempt_runs_is_taken_over(world: World) -> None:
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))
    world.backend.script("fence_attempt", ClaimedByWorker())

    await world.settle(AVATAR_MODEL)

    assert len(world.backend.asked("submit_training")) == 1
    training = world.model.status.training
    assert training is not None
    assert training.inference_id == FIRST
    assert training.start_time == training.submitted_time == NOON
    assert world.model.status.state == "Preparing"
    assert "TrainingSubmitted" in world.kube.reasons()


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
    assert world.model.status.state == "Preparing"


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

    assert delayed.retrying == Retry("Throttled", "The service does not answer.")
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

    assert refused.retrying == Retry("ServiceUnavailable", "The service does not answer.")
    await world.settle(AVATAR_MODEL)
    assert world.model.status.state == "Ready"


@pytest.mark.parametrize("error", [out_of_reach(), denied()], ids=["out of reach", "denied"])
async def test_an_attempt_is_overdue_though_its_outcome_cannot_be_read(
    world: World, error: BackendError
) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", *[error] * 50)
    world.models.hint_outcome(MODEL_KEY)
    world.clock.advance(21600)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "QueueDeadlineExceeded"


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
