"""Recovery: a planned attempt of which nobody knows whether it was submitted."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.model_lifecycle.actions import FenceAttempt
from avatar_operator.model_lifecycle.phases.recovery import recovery
from builders import model_stages
from builders.objects import a_model
from builders.observations import model_draft, observed_model


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
