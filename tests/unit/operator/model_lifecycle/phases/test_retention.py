"""Retention: a model that was to be kept for a time deletes itself when that time is over."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.model_lifecycle.phases.retention import retention
from builders import model_stages
from builders.objects import a_model
from builders.observations import at, model_draft, observed_model

KEEP = {"retention": {"expireAfterSeconds": 3600}}


def test_a_model_is_kept_until_its_time_is_over() -> None:
    observation = observed_model(a_model(spec=KEEP, status=model_stages.hosted()), now=at(600))

    draft = retention(observation, model_draft(observation))

    assert draft.requeue_after == 3000
    assert not draft.delete_object


@pytest.mark.parametrize("status", [model_stages.hosted(), model_stages.failed()], ids=["hosted", "failed"])
def test_an_expired_model_is_deleted_whatever_its_end_was(status: AvatarModelStatus) -> None:
    observation = observed_model(a_model(spec=KEEP, status=status), now=at(3600))

    draft = retention(observation, model_draft(observation))

    assert draft.delete_object
    assert draft.finished
    assert [notice.reason for notice in draft.farewells] == ["Expired"]


def test_the_end_of_a_model_without_retention_never_comes() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()), now=at(10**9))

    assert retention(observation, model_draft(observation)) == model_draft(observation)


@pytest.mark.parametrize(
    "status",
    [model_stages.submitted(), model_stages.failed(retry_in=30)],
    ids=["running", "to be tried again"],
)
def test_a_model_that_is_still_being_trained_does_not_expire(status: AvatarModelStatus) -> None:
    observation = observed_model(a_model(spec=KEEP, status=status), now=at(10**6))

    assert retention(observation, model_draft(observation)) == model_draft(observation)
