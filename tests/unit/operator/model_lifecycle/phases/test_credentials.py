"""Credentials: those of the attempt that is out there never grow old, and go when it is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModelStatus, ModelStorage
from avatar_api.documents.training import PhotoLocation, TrainingRequest
from avatar_api.training_status import TrainingStatus
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed
from avatar_operator.model_lifecycle.actions import (
    CancelAttempt,
    CredentialsGiven,
    GiveCredentials,
    ModelDraft,
    WithdrawCredentials,
)
from avatar_operator.model_lifecycle.lifecycle import decide
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.phases.credentials import (
    credentials,
    fold_credentials,
    renewal_is_due,
)
from avatar_operator.model_lifecycle.training_request import build_training_request
from builders import model_stages
from builders.clock import NOON
from builders.objects import a_model, a_runtime, photos
from builders.observations import model_draft, observed_model

ROLE = "arn:aws:iam::123456789012:role/avatars-attempt"
WITH_A_ROLE = a_runtime(spec={"backend": {"sagemaker": {"attemptRoleARN": ROLE}}})


def sent(*uris: str) -> TrainingRequest:
    """What the attempt of `model_stages.submitted` was sent with."""
    found = tuple(PhotoLocation(uri=uri, etag="etag") for uri in uris) or photos()
    attempt = attempt_reference(WITH_A_ROLE, a_model(), training_of(model_stages.submitted()))
    return build_training_request(WITH_A_ROLE, a_model(), attempt, found, None)


def training_of(status: AvatarModelStatus) -> TrainingStatus:
    assert status.training is not None
    return status.training


def decided(
    status: AvatarModelStatus,
    due: datetime | None,
    *,
    role: bool = True,
    document: TrainingRequest | BackendError | None = None,
    **spec: Any,
) -> ModelDraft:
    runtime, model = WITH_A_ROLE if role else a_runtime(), a_model(status=status, spec=spec)
    observation = observed_model(model, runtime=runtime, credentials_due=due)
    if renewal_is_due(observation):
        observation = replace(observation, sent=document or sent())
    return credentials(observation, model_draft(observation))


@pytest.mark.parametrize("due", [None, NOON, NOON - timedelta(hours=1)])
def test_what_is_due_or_may_be_is_renewed(due: datetime | None) -> None:
    [action] = decided(model_stages.submitted(), due).actions
    assert isinstance(action, GiveCredentials)


def test_what_is_not_due_is_looked_at_when_it_is() -> None:
    draft = decided(model_stages.submitted(), NOON + timedelta(minutes=20))
    assert (draft.actions, draft.requeue_after) == ((), 1200.0)


def test_nobody_is_given_any_before_the_attempt_is_handed_over() -> None:
    draft = decided(model_stages.planned(), None)
    assert (draft.actions, draft.requeue_after) == ((), None)


def test_those_of_an_attempt_that_is_over_are_withdrawn() -> None:
    [action] = decided(model_stages.hosted(), NOON + timedelta(minutes=20)).actions
    assert isinstance(action, WithdrawCredentials)
    assert decided(model_stages.hosted(), None).actions == ()


@pytest.mark.parametrize("status", [model_stages.submitted(), model_stages.hosted()])
def test_without_an_attempt_role_nothing_is_done(status: AvatarModelStatus) -> None:
    draft = decided(status, None, role=False)
    assert (draft.actions, draft.requeue_after) == ((), None)


def test_newer_ones_are_due_when_the_backend_says_so() -> None:
    observation = observed_model(a_model(status=model_stages.submitted()))
    draft = fold_credentials(observation, model_draft(observation), CredentialsGiven(1200.0))
    assert draft.requeue_after == 1200.0


@pytest.mark.parametrize(("retryable", "pause"), [(True, 0.0), (False, HOPELESS_PAUSE_SECONDS)])
def test_a_failure_ends_no_attempt(retryable: bool, pause: float) -> None:
    observation = observed_model(a_model(status=model_stages.submitted()), runtime=WITH_A_ROLE)
    before = model_draft(observation)
    [action] = decided(model_stages.submitted(), None).actions
    failed = ActionFailed(action, "AttemptRoleRefused", "It is refused.", retryable=retryable)
    draft = fold_credentials(observation, before, failed)
    assert draft.retrying is not None
    assert (draft.retrying.reason, draft.retrying.at_least) == ("AttemptRoleRefused", pause)
    assert draft.status == before.status


@pytest.mark.parametrize("prefix", ["s3://photos/team-a/other/", "s3://photos/team-b/bob/"])
def test_an_edit_takes_nothing_from_the_attempt_and_gives_it_nothing(prefix: str) -> None:
    edited = {"s3Prefix": prefix, "objects": None}
    [action] = decided(model_stages.submitted(), None, photos=edited).actions
    assert isinstance(action, GiveCredentials)
    assert action.request == sent()


def test_what_the_runtime_does_not_allow_is_granted_to_nobody_by_a_document() -> None:
    forged = sent("s3://photos/team-a/ann/1.png", "s3://photos/team-b/bob/1.png")
    assert decided(model_stages.submitted(), None, document=forged).actions == ()


def test_a_document_that_is_lost_is_looked_for_again_and_ends_no_attempt() -> None:
    lost = BackendError("RequestDocumentLost", "It is gone.", retryable=True)
    draft = decided(model_stages.submitted(), None, document=lost)
    assert draft.actions == ()
    assert draft.retrying is not None
    assert (draft.retrying.reason, draft.status) == ("RequestDocumentLost", model_stages.submitted())


def test_nothing_is_given_to_a_place_that_only_a_status_names() -> None:
    submitted = model_stages.submitted()
    elsewhere = ModelStorage(
        runtime_name="standard",
        runtime_uid="00000000-0000-0000-0000-000000000000",
        requests="s3://avatars/outputs/team-a/",
        artifacts="s3://models/artifacts/",
    )
    status = submitted.model_copy(update={"storage": elsewhere})
    assert decided(status, None).actions == ()


def test_what_cannot_be_renewed_keeps_no_deadline_from_stopping_an_attempt() -> None:
    model = a_model(status=model_stages.submitted())
    overdue = NOON + timedelta(days=30)
    actions = decide(observed_model(model, runtime=WITH_A_ROLE, now=overdue)).actions
    assert isinstance(actions[0], CancelAttempt)
    assert not any(isinstance(action, GiveCredentials) for action in actions)
