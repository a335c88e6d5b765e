"""Recovery: a planned attempt of which nobody knows whether it was submitted."""

from datetime import UTC, datetime

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed, Retry
from avatar_operator.model_lifecycle.actions import (
    AttemptClaimed,
    AttemptFenced,
    FenceAttempt,
    ModelAction,
    ModelDraft,
)
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.phases.recovery import fold_fence, recovery
from builders import model_stages
from builders.clock import NOON
from builders.objects import a_model
from builders.observations import STANDARD, at, model_draft, observed_model


def test_a_plan_of_unknown_fate_is_fenced_and_nothing_else() -> None:
    status = model_stages.planned()
    observation = observed_model(a_model(status=status), planned_here=False)

    draft = recovery(observation, model_draft(observation))

    assert status.training is not None
    (action,) = draft.actions
    assert isinstance(action, FenceAttempt)
    assert action.attempt.inference_id == status.training.inference_id
    assert draft.finished


def test_a_plan_of_this_process_needs_no_fence() -> None:
    observation = observed_model(a_model(status=model_stages.planned()), planned_here=True)

    assert recovery(observation, model_draft(observation)) == model_draft(observation)


@pytest.mark.parametrize(
    "status",
    [
        model_stages.waiting(),
        model_stages.submitted(),
        model_stages.hosted(),
        model_stages.failed(retry_in=30),
    ],
    ids=["waiting", "submitted", "hosted", "failed"],
)
def test_only_a_plan_is_fenced(status: AvatarModelStatus) -> None:
    observation = observed_model(a_model(status=status))

    assert recovery(observation, model_draft(observation)) == model_draft(observation)


@pytest.mark.parametrize("planned_here", [False, True])
def test_without_its_runtime_a_plan_waits(planned_here: bool) -> None:
    model = a_model(status=model_stages.planned())
    observation = observed_model(model, runtime=None, planned_here=planned_here)

    draft = recovery(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.finished


def _after(fact: AttemptFenced | AttemptClaimed | ActionFailed[ModelAction]) -> ModelDraft:
    observation = observed_model(a_model(status=model_stages.planned()), now=at(100))
    return fold_fence(observation, model_draft(observation), fact)


def _fence_failed(*, retryable: bool, retry_after: float | None = None) -> ActionFailed[ModelAction]:
    model = a_model(status=model_stages.planned())
    assert model.status.training is not None
    action = FenceAttempt(attempt_reference(STANDARD, model, model.status.training))
    return ActionFailed(action, "AccessDenied", "No.", retryable=retryable, retry_after=retry_after)


def test_an_attempt_that_was_fenced_is_void() -> None:
    training = _after(AttemptFenced()).status.training

    assert training is not None
    assert training.inference_id is None


@pytest.mark.parametrize(
    ("since", "started"),
    [
        (NOON, NOON),
        (None, at(100)),
        (at(500), at(100)),
        (at(-9000), NOON),
        (datetime(1, 1, 1, tzinfo=UTC), NOON),
    ],
    ids=["dated", "not dated", "by a clock that is ahead", "by a clock that is behind", "by no clock"],
)
def test_an_attempt_that_a_worker_claimed_is_under_way_since_then(
    since: datetime | None, started: datetime
) -> None:
    draft = _after(AttemptClaimed(since))

    training = draft.status.training
    assert training is not None
    assert (training.start_time, training.submitted_time) == (started, at(100))
    assert draft.requeue_after == 0


@pytest.mark.parametrize(
    ("fact", "retry"),
    [
        (_fence_failed(retryable=True), Retry("AccessDenied", "No.")),
        (_fence_failed(retryable=True, retry_after=7), Retry("AccessDenied", "No.", 7)),
        (_fence_failed(retryable=False), Retry("AccessDenied", "No.", 30)),
    ],
)
def test_a_fence_that_failed_says_so_and_is_tried_again(
    fact: ActionFailed[ModelAction], retry: Retry
) -> None:
    draft = _after(fact)

    assert draft.retrying == retry
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert (trained.status, trained.reason) == ("False", "Recovering")
    assert "Whether attempt 1 was submitted cannot be found out (AccessDenied): No." in trained.message
