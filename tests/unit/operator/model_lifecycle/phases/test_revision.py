"""Revision: another `spec.revision` starts over."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.actions import CancelAttempt
from avatar_operator.model_lifecycle.phases.revision import revision
from builders import model_stages
from builders.objects import a_model, an_artifact
from builders.observations import model_draft, observed_model


def test_a_new_model_waits_for_its_first_attempt() -> None:
    observation = observed_model(a_model())

    draft = revision(observation, model_draft(observation))

    assert draft.status.training is not None
    assert (draft.status.training.revision, draft.status.training.attempt) == (1, 0)
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert (trained.status, trained.reason) == ("False", "Pending")


def test_the_same_revision_changes_nothing() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()))

    assert revision(observation, model_draft(observation)) == model_draft(observation)


def test_another_revision_starts_counting_anew() -> None:
    observation = observed_model(
        a_model(spec={"revision": 2}, status=model_stages.failed(attempt=3, failures=3))
    )

    training = revision(observation, model_draft(observation)).status.training

    assert training is not None
    assert (training.revision, training.attempt, training.failures, training.inference_id) == (2, 0, 0, None)


def test_another_revision_forgets_the_last_failure() -> None:
    status = model_stages.failed()
    observation = observed_model(a_model(spec={"revision": 2}, status=status))

    assert revision(observation, model_draft(observation)).status.last_failure is None


def test_what_is_hosted_stays_hosted_while_another_revision_is_trained() -> None:
    observation = observed_model(a_model(spec={"revision": 2}, status=model_stages.hosted()))

    assert revision(observation, model_draft(observation)).status.artifact == an_artifact(revision=1)


def test_an_attempt_of_the_old_revision_is_stopped() -> None:
    status = model_stages.submitted()
    observation = observed_model(a_model(spec={"revision": 2}, status=status))

    (action,) = revision(observation, model_draft(observation)).actions

    assert isinstance(action, CancelAttempt)
    assert status.training is not None
    assert action.attempt.inference_id == status.training.inference_id


def test_a_finished_attempt_of_the_old_revision_is_left_alone() -> None:
    observation = observed_model(a_model(spec={"revision": 2}, status=model_stages.hosted()))

    assert revision(observation, model_draft(observation)).actions == ()


def test_an_old_attempt_that_nobody_can_stop_without_its_runtime_is_not_forgotten() -> None:
    observation = observed_model(a_model(spec={"revision": 2}, status=model_stages.submitted()), runtime=None)

    assert revision(observation, model_draft(observation)) == model_draft(observation)
