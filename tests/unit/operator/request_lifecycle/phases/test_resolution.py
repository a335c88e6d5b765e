"""Resolution: a request waits for a hosted model, and says what it waits for."""

from dataclasses import replace

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.request_lifecycle.lifecycle import state_of
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.resolution import resolution
from builders import model_stages
from builders.clock import NOON
from builders.objects import a_model, a_request
from builders.observations import observed_request, request_draft, request_says

ANN = a_model(status=model_stages.hosted())


def test_a_hosted_model_is_resolved() -> None:
    observation = observed_request(a_request(), model=ANN)

    draft = resolution(observation, request_draft(observation))

    assert request_says(draft, "ModelResolved") == ("True", "Resolved")
    assert not draft.finished


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (observed_request(a_request(), model=None), "ModelNotFound"),
        (
            observed_request(a_request(), model=a_model(status=model_stages.submitted())),
            "WaitingForModel",
        ),
        (observed_request(a_request(), model=ANN, runtime=None), "RuntimeNotFound"),
        (
            replace(observed_request(a_request(), model=ANN, runtime=None), runtime_is_foreign=True),
            "RuntimeNotFound",
        ),
        (
            observed_request(a_request(), model=a_model(status=model_stages.hosted(), deleted_at=NOON)),
            "ModelDeleting",
        ),
    ],
    ids=[
        "no model",
        "no artifact",
        "no runtime",
        "another operator's runtime",
        "a model that is being deleted",
    ],
)
def test_a_request_waits_for_a_hosted_model(observation: RequestObservation, reason: str) -> None:
    draft = resolution(observation, request_draft(observation))

    assert request_says(draft, "ModelResolved") == ("False", reason)
    assert request_says(draft, "Succeeded") == ("Unknown", reason)
    assert state_of(draft.status, deleting=False) == "Pending"
    assert draft.finished


@pytest.mark.parametrize(
    "status", [None, model_stages.waiting(), model_stages.planned(), model_stages.submitted()]
)
def test_a_request_says_the_same_at_every_step_of_a_training(status: AvatarModelStatus | None) -> None:
    planned = observed_request(a_request(), model=a_model(status=model_stages.planned()))
    other = observed_request(a_request(), model=a_model(status=status))

    assert resolution(planned, request_draft(planned)) == resolution(other, request_draft(other))
