"""Provisioning: endpoints as the spec says, asked for at every pass."""

import pytest

from avatar_api.avatar_runtime import EndpointStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import ActionFailed
from avatar_operator.runtime_lifecycle.actions import EndpointsSeen, EnsureEndpoints, RuntimeAction
from avatar_operator.runtime_lifecycle.lifecycle import decide
from avatar_operator.runtime_lifecycle.phases.provisioning import fold_endpoints
from builders.objects import a_runtime
from builders.observations import observed_runtime, runtime_draft

READY = EndpointsSeen(EndpointsFacts(ready=True, reason="InService", message=""))
CREATING = EndpointsSeen(
    EndpointsFacts(
        ready=False,
        reason="Creating",
        message="The training endpoint is being created.",
        endpoints=(EndpointStatus(role="Training", name="avatar-training", state="Creating"),),
    )
)
BROKEN = EndpointsSeen(
    EndpointsFacts(ready=False, reason="EndpointFailed", message="No capacity.", failed=True)
)


def _failed(message: str = "No.", *, retryable: bool) -> ActionFailed[RuntimeAction]:
    return ActionFailed(EnsureEndpoints(), "CredentialsExpired", message, retryable)


def test_endpoints_are_asked_for_at_every_pass() -> None:
    assert EnsureEndpoints() in decide(observed_runtime(a_runtime())).actions


def test_endpoints_that_come_are_looked_at_again_soon() -> None:
    observation = observed_runtime(a_runtime(ready=False))

    draft = fold_endpoints(observation, runtime_draft(observation), CREATING)

    assert draft.requeue_after == 3.0
    assert draft.status.endpoints == list(CREATING.facts.endpoints)
    assert not is_true(draft.status.conditions, "EndpointsReady")
    assert is_true(draft.status.conditions, "Reconciling")


def test_endpoints_that_failed_wait_for_a_person_and_are_looked_at_slowly() -> None:
    observation = observed_runtime(a_runtime(ready=False))

    draft = fold_endpoints(observation, runtime_draft(observation), BROKEN)

    assert draft.retrying is not None
    assert draft.retrying.at_least == 30.0
    assert is_true(draft.status.conditions, "Stalled")


@pytest.mark.parametrize(("retryable", "at_least"), [(True, 0.0), (False, 30.0)])
def test_a_backend_that_cannot_be_asked_says_why_and_stalls_only_what_a_person_must_mend(
    retryable: bool, at_least: float
) -> None:
    observation = observed_runtime(a_runtime())

    draft = fold_endpoints(observation, runtime_draft(observation), _failed(retryable=retryable))

    condition = find_condition(draft.status.conditions, "EndpointsReady")
    assert condition is not None
    assert (condition.status, condition.reason, condition.message) == ("False", "CredentialsExpired", "No.")
    assert draft.retrying is not None
    assert draft.retrying.at_least == at_least
    assert is_true(draft.status.conditions, "Reconciling") == retryable
    assert is_true(draft.status.conditions, "Stalled") != retryable


def test_a_failure_that_lasts_keeps_its_first_words() -> None:
    observation = observed_runtime(a_runtime())
    first = fold_endpoints(observation, runtime_draft(observation), _failed("Request 1.", retryable=True))

    second = fold_endpoints(observation, first, _failed("Request 2.", retryable=True))

    assert second.status == first.status


def test_a_condition_keeps_its_time_while_endpoints_stay_as_they_are() -> None:
    observation = observed_runtime(a_runtime())
    first = fold_endpoints(observation, runtime_draft(observation), READY)

    second = fold_endpoints(observed_runtime(a_runtime(status=first.status)), first, READY)

    assert second.status == first.status
