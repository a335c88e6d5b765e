"""Acceptance: what the runtime does not take ends the request; what it takes is written down before anything is drawn."""

from dataclasses import replace

import pytest

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.lifecycle import state_of
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance
from builders import model_stages, request_stages
from builders.backend import denied
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import REQUEST_UID, a_model, a_request, a_runtime
from builders.observations import at, observed_request, request_draft, request_says
from builders.request_stages import PREFIX

ANN = a_model(status=model_stages.hosted())
RUNNING = request_stages.drawing()


def _refused(observation: RequestObservation) -> tuple[str, str]:
    draft = acceptance(observation, request_draft(observation))
    condition = find_condition(draft.status.conditions, "Accepted")
    assert condition is not None
    assert condition.status == "False"
    assert request_says(draft, "Succeeded") == ("False", condition.reason)
    assert draft.status.last_failure is not None
    assert (draft.status.last_failure.reason, draft.status.last_failure.message) == (
        condition.reason,
        condition.message,
    )
    assert draft.status.model is None
    assert draft.finished
    return condition.reason, condition.message


def test_an_accepted_request_says_that_it_runs_before_anything_is_drawn() -> None:
    observation = observed_request(a_request(), model=ANN)

    draft = acceptance(observation, request_draft(observation))

    assert state_of(draft.status, deleting=False) == "Running"
    assert draft.status.storage_prefix == PREFIX
    assert draft.status.start_time == NOON
    assert draft.status.runtime_name == "standard"
    assert draft.actions == ()
    assert draft.finished
    assert draft.requeue_after == 0


@pytest.mark.parametrize("status", [None, RUNNING])
def test_what_the_backend_can_never_draw_ends_the_request_with_its_words(
    status: AvatarRequestStatus | None,
) -> None:
    obstacle = denied("SessionPolicyTooLong")
    request = a_request() if status is None else a_request(status=status)
    observation = observed_request(request, model=ANN, obstacle=obstacle)

    draft = acceptance(observation, request_draft(observation))

    assert request_says(draft, "Accepted") == ("False", obstacle.reason)
    assert draft.status.last_failure is not None
    assert draft.status.last_failure.message == obstacle.message
    assert draft.finished


def test_a_request_is_accepted_once() -> None:
    retrained = a_model(status=model_stages.hosted(revision=2))
    observation = observed_request(a_request(status=RUNNING), model=retrained, now=at(60))

    assert acceptance(observation, request_draft(observation)) == request_draft(observation)


@pytest.mark.parametrize(("is_foreign", "said"), [(False, "is gone"), (True, "does not watch")])
def test_a_runtime_that_goes_or_changes_hands_ends_its_requests_and_says_which(
    is_foreign: bool, said: str
) -> None:
    observation = observed_request(a_request(status=RUNNING), model=ANN, runtime=None)
    observation = replace(observation, runtime_is_foreign=is_foreign)

    draft = acceptance(observation, request_draft(observation))

    assert draft.status.last_failure is not None
    assert draft.status.last_failure.reason == "RuntimeNotFound"
    assert said in draft.status.last_failure.message


def test_a_runtime_that_withdraws_a_namespace_ends_its_requests() -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["x"]}})
    observation = observed_request(a_request(status=RUNNING), model=ANN, runtime=runtime)

    draft = acceptance(observation, request_draft(observation))

    assert request_says(draft, "Accepted") == ("False", "NamespaceNotAllowed")
    assert request_says(draft, "Succeeded") == ("False", "NamespaceNotAllowed")
    assert draft.finished


def test_a_namespace_that_the_runtime_does_not_admit_is_refused() -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["team-b"]}})

    reason, message = _refused(observed_request(a_request(), model=ANN, runtime=runtime))

    assert reason == "NamespaceNotAllowed"
    assert "does not admit namespace team-a" in message


def test_a_namespace_in_whose_directory_everybodys_artifacts_lie_is_refused() -> None:
    runtime = a_runtime(spec={"storage": {"outputs": "s3://models/"}})

    reason, message = _refused(observed_request(a_request(namespace="artifacts"), model=ANN, runtime=runtime))

    assert reason == "NamespaceReserved"
    assert "s3://models/artifacts/" in message


def test_a_namespace_called_like_a_part_of_other_keys_draws() -> None:
    observation = observed_request(a_request(namespace="output"), model=ANN)

    draft = acceptance(observation, request_draft(observation))

    assert draft.status.storage_prefix == f"s3://pictures/output/{REQUEST_UID}/"


def test_an_output_within_the_allowed_prefixes_is_accepted() -> None:
    request = a_request(spec={"output": {"prefix": "s3://albums/team-a/summer/"}})
    observation = observed_request(request, model=ANN)

    draft = acceptance(observation, request_draft(observation))

    assert draft.status.storage_prefix == f"s3://albums/team-a/summer/{REQUEST_UID}/"


@pytest.mark.parametrize("prefix", ["s3://albums/team-b/", "s3://albums/", "s3://pictures/team-a/"])
def test_an_output_outside_the_allowed_prefixes_is_refused(prefix: str) -> None:
    reason, message = _refused(observed_request(a_request(spec={"output": {"prefix": prefix}}), model=ANN))

    assert reason == "OutputNotAllowed"
    assert f"{prefix} is outside" in message


def test_a_runtime_that_allows_no_outputs_says_so() -> None:
    runtime = a_runtime(spec={"storage": {"allowed": {"outputs": None}}})
    request = a_request(spec={"output": {"prefix": "s3://albums/team-a/"}})

    assert (
        "none but the runtime's own default"
        in _refused(observed_request(request, model=ANN, runtime=runtime))[1]
    )


@pytest.mark.parametrize(
    ("limits", "spec", "expected"),
    [
        ({"maxPictures": 1}, {}, "number of pictures is 2, at most 1"),
        ({}, {"steps": 101}, "steps is 101, at most 100"),
        ({}, {"width": 2048, "height": 1024}, "width x height is 2097152, at most 1048576"),
        ({"maxSteps": 10}, {}, "steps is 25, at most 10"),
    ],
    ids=["pictures", "steps", "pixels", "the runtime's own default"],
)
def test_a_request_above_a_limit_is_refused_by_name(limits: Changes, spec: Changes, expected: str) -> None:
    runtime = a_runtime(spec={"limits": {"inference": limits}})

    reason, message = _refused(observed_request(a_request(spec=spec), model=ANN, runtime=runtime))

    assert reason == "LimitExceeded"
    assert expected in message


def test_a_request_beyond_the_namespaces_quota_is_accepted_and_waits() -> None:
    runtime = a_runtime(spec={"quotas": {"maxWaitingPictures": 64}})
    observation = observed_request(a_request(), model=ANN, runtime=runtime, has_place=False)

    draft = acceptance(observation, request_draft(observation))

    assert request_says(draft, "Accepted") == ("True", "Accepted")
    assert request_says(draft, "Succeeded") == ("Unknown", "WaitingForQuota")
    assert state_of(draft.status, deleting=False) == "Pending"
    assert draft.status.model is None
    assert (draft.status.start_time, draft.status.last_failure) == (None, None)
    assert (draft.requeue_after, draft.retrying) == (None, None), "nobody polls"
    assert draft.finished


def test_a_request_that_draws_needs_no_place_any_more() -> None:
    observation = observed_request(a_request(status=RUNNING), model=ANN, has_place=False)

    assert acceptance(observation, request_draft(observation)) == request_draft(observation)
