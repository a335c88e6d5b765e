"""Deletion: stop the training, remove what is stored, let go. In bounded time."""

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_operator.backends.attempts import AttemptFailed, AttemptPending
from avatar_operator.model_lifecycle.actions import CancelAttempt, DeleteModelData
from avatar_operator.model_lifecycle.phases.deletion import deletion
from builders import model_stages
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import a_model
from builders.observations import at, model_draft, observed_model


def _going(status: AvatarModelStatus, spec: Changes | None = None) -> AvatarModel:
    return a_model(deleted_at=NOON, status=status, spec=spec)


def test_a_model_that_stays_is_left_alone() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()))

    assert deletion(observation, model_draft(observation)) == model_draft(observation)


def test_a_finished_model_takes_its_data_with_it() -> None:
    observation = observed_model(_going(model_stages.hosted()))

    draft = deletion(observation, model_draft(observation))

    assert draft.actions == (DeleteModelData(artifacts=True, give_up=False),)
    assert draft.finalizer == "Remove"
    assert draft.finished


def test_artifacts_stay_if_the_model_says_retain() -> None:
    observation = observed_model(_going(model_stages.hosted(), {"deletionPolicy": "Retain"}))

    assert deletion(observation, model_draft(observation)).actions == (
        DeleteModelData(artifacts=False, give_up=False),
    )


def test_a_running_attempt_is_stopped_and_given_time_to_say_so() -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(10))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt]
    assert draft.finalizer == "Keep"
    assert draft.requeue_after == 5


@pytest.mark.parametrize("seconds", [60, 599], ids=["grace is over", "long over"])
def test_after_the_grace_period_the_data_goes_whatever_the_worker_does(seconds: float) -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(seconds))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt, DeleteModelData]
    assert draft.finalizer == "Remove"


def test_an_attempt_that_has_ended_needs_no_grace() -> None:
    ended = AttemptFailed("AttemptFenced", "cancelled", retryable=False)
    observation = observed_model(_going(model_stages.submitted()), outcome=ended)

    assert deletion(observation, model_draft(observation)).finalizer == "Remove"


def test_an_attempt_that_was_only_planned_is_cancelled_without_grace() -> None:
    observation = observed_model(_going(model_stages.planned()))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt, DeleteModelData]
    assert draft.finalizer == "Remove"


def test_patience_with_what_cannot_be_removed_ends() -> None:
    observation = observed_model(_going(model_stages.hosted()), now=at(600))

    assert deletion(observation, model_draft(observation)).actions == (
        DeleteModelData(artifacts=True, give_up=True),
    )


def test_a_model_whose_runtime_is_gone_is_let_go_and_says_what_stays() -> None:
    observation = observed_model(_going(model_stages.hosted()), runtime=None)

    draft = deletion(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.finalizer == "Remove"
    assert [notice.reason for notice in draft.notices] == ["CleanupImpossible"]
