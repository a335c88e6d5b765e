"""What keeps a model from getting on has a name: at once in what the pass says, after a minute on the object."""

import pytest

from avatar_api.group import AVATAR_MODEL
from avatar_api.meta import Condition
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.core.conditions import find_condition
from builders.backend import a_success, denied, out_of_reach
from builders.world import MODEL_KEY, World

DENIED = denied()
"""Not retryable in the backend's eyes: somebody has to mend it first."""


def _condition(world: World, condition_type: str) -> Condition:
    condition = find_condition(world.model.status.conditions, condition_type)
    assert condition is not None
    return condition


async def _look_for(world: World, seconds: int) -> list[str]:
    """Passes every ten seconds; what each said it had to be repeated for."""
    reasons = []
    for _ in range(0, seconds, 10):
        reconciled = await world.look_at(AVATAR_MODEL)
        if reconciled.retrying is not None:
            reasons.append(reconciled.retrying.reason)
        world.clock.advance(10)
    return reasons


async def _lost(world: World) -> None:
    """The answer to the submission was lost."""
    await world.look_at(AVATAR_MODEL)
    world.backend.script("submit_training", OutcomeUnknownError("timed out"))
    await world.look_at(AVATAR_MODEL)


@pytest.mark.parametrize("error", [DENIED, out_of_reach()], ids=["denied", "out of reach"])
async def test_an_attempt_that_cannot_be_fenced_is_recovering_and_says_why(
    world: World, error: BackendError
) -> None:
    await _lost(world)
    world.backend.script("fence_attempt", *[error] * 100)

    assert await _look_for(world, 30) == [error.reason] * 3

    trained = _condition(world, "Trained")
    assert (trained.status, trained.reason) == ("False", "Recovering")
    assert error.message in trained.message
    assert _condition(world, "Reconciling").reason == "Recovering"
    assert world.model.status.state == "Queued"
    await _look_for(world, 60)
    reconciling = _condition(world, "Reconciling")
    assert (reconciling.status, reconciling.reason, reconciling.message) == (
        "True",
        error.reason,
        error.message,
    )


@pytest.mark.parametrize("error", [DENIED, out_of_reach()], ids=["denied", "out of reach"])
async def test_an_outcome_that_cannot_be_read_is_told_after_a_minute_and_forgotten_when_it_can(
    world: World, error: BackendError
) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", *[error] * 9)
    world.models.hint_outcome(MODEL_KEY)

    assert await _look_for(world, 60) == [error.reason] * 6
    assert _condition(world, "Reconciling").reason == "Queued"
    assert await _look_for(world, 30) == [error.reason] * 3
    assert _condition(world, "Reconciling").reason == error.reason
    assert _condition(world, "Trained").reason == "Queued"

    await world.settle(AVATAR_MODEL)
    assert _condition(world, "Reconciling").reason == "Queued"


@pytest.mark.parametrize("verb", ["write_request", "submit_training", "fence_attempt"])
async def test_a_trouble_that_lasts_for_hours_costs_two_writes_whatever_ids_its_words_carry(
    world: World, verb: str
) -> None:
    if verb == "fence_attempt":
        await _lost(world)
    else:
        await world.look_at(AVATAR_MODEL)
    before = world.kube.writes["apply_status", "AvatarModel"]
    world.backend.script(
        verb,
        *(
            BackendError("KeyDenied", f"Request {number} was denied.", retryable=True)
            for number in range(1000)
        ),
    )

    await _look_for(world, 7200)

    assert world.kube.writes["apply_status", "AvatarModel"] == before + 2
    assert "Request 0 was denied." in _condition(world, "Trained").message


@pytest.mark.parametrize("verb", ["write_request", "fence_attempt"])
async def test_another_trouble_in_its_place_is_told(world: World, verb: str) -> None:
    if verb == "fence_attempt":
        await _lost(world)
    world.backend.script(verb, *[out_of_reach("Throttled")] * 6, *[out_of_reach("KeyDenied")] * 6)

    await _look_for(world, 100)

    assert "KeyDenied" in _condition(world, "Trained").message


@pytest.mark.parametrize(
    ("verb", "error", "reason"),
    [
        ("list_photos", out_of_reach("SlowDown"), "SlowDown"),
        ("submit_training", out_of_reach("Throttled"), "Throttled"),
        ("write_request", out_of_reach("AwsUnreachable"), "AwsUnreachable"),
    ],
)
async def test_every_pass_that_is_repeated_says_for_what_reason(
    world: World, verb: str, error: BackendError, reason: str
) -> None:
    world.backend.script(verb, *[error] * 100)

    reasons = await _look_for(world, 100)

    assert set(reasons) == {reason}
    assert _condition(world, "Reconciling").reason == reason


@pytest.mark.parametrize("verb", ["submit_training", "write_request"])
async def test_an_attempt_that_can_never_be_submitted_ends_by_the_queue_deadline(
    world: World, verb: str
) -> None:
    world.backend.script(verb, *[out_of_reach()] * 1000)
    await _look_for(world, 100)
    assert _condition(world, "Trained").reason == "SubmissionDelayed"
    world.clock.advance(21_600)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Failed"
    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "QueueDeadlineExceeded"
    assert _condition(world, "Stalled").status == "True"


async def test_an_attempt_of_which_nobody_can_find_out_ends_by_the_queue_deadline(world: World) -> None:
    await _lost(world)
    world.backend.script("fence_attempt", *[DENIED] * 1000)
    await _look_for(world, 100)
    world.clock.advance(21_600)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.last_failure is not None
    assert world.model.status.last_failure.reason == "QueueDeadlineExceeded"
    assert len(world.backend.asked("revoke_claim")) == 1


async def test_an_overdue_attempt_is_asked_for_once_more_before_it_is_stopped(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    assert world.model.status.training is not None
    assert world.model.status.training.inference_id is not None
    # It ended, and the message that says so was lost.
    world.backend.script("attempt_outcome", a_success(world.model.status.training.inference_id))
    world.clock.advance(30_000)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Ready"
    assert world.backend.asked("revoke_claim") == []


async def test_a_revision_that_is_raised_while_the_old_attempt_cannot_be_stopped_waits_for_that(
    world: World,
) -> None:
    await world.settle(AVATAR_MODEL)
    before = world.model.status
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    world.backend.script("revoke_claim", *[out_of_reach()] * 3)

    assert await _look_for(world, 30) == ["ServiceUnavailable"] * 3

    assert world.model.status.training == before.training
    assert len(world.backend.asked("submit_training")) == 1
    await world.settle(AVATAR_MODEL)
    assert world.model.status.training is not None
    assert world.model.status.training.revision == 2
    assert len(world.backend.asked("revoke_claim")) == 4


async def test_an_overdue_attempt_that_cannot_be_stopped_is_not_called_failed_yet(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("revoke_claim", out_of_reach())
    world.clock.advance(30_000)

    await world.look_at(AVATAR_MODEL)

    assert world.model.status.last_failure is None
    await world.settle(AVATAR_MODEL)
    assert world.model.status.last_failure is not None


async def test_an_old_attempt_is_stopped_although_the_photos_of_the_next_cannot_be_listed(
    world: World,
) -> None:
    await world.settle(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    world.backend.script("list_photos", out_of_reach())

    await world.look_at(AVATAR_MODEL)

    assert world.model.status.training is not None
    assert world.model.status.training.revision == 2
    assert len(world.backend.asked("revoke_claim")) == 1
