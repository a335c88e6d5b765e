"""Retirement: an endpoint that the spec names no more goes once nothing can be at work there."""

from datetime import datetime

import pytest

from avatar_api.avatar_runtime import EndpointRole, EndpointStatus
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.decision import ActionFailed
from avatar_operator.runtime_lifecycle.actions import (
    EndpointRetired,
    EndpointsSeen,
    FormerEndpoint,
    RetireEndpoint,
    RuntimeAction,
)
from avatar_operator.runtime_lifecycle.phases.provisioning import fold_endpoints
from avatar_operator.runtime_lifecycle.phases.retirement import fold_retirement, is_free
from avatar_operator.runtime_lifecycle.work import ActiveAttempt, Work
from builders.objects import a_runtime
from builders.observations import at, observed_runtime, runtime_draft


def _status(role: EndpointRole, name: str, state: str = "InService") -> EndpointStatus:
    return EndpointStatus(role=role, name=name, state=state)


NEW = (_status("Training", "new-training"), _status("Inference", "new-inference"))
OLD_TRAINING = FormerEndpoint(_status("Training", "old-training"), at(100))
OLD_INFERENCE = FormerEndpoint(_status("Inference", "old-inference"), at(100))


def _seen(*, ready: bool, former: tuple[FormerEndpoint, ...]) -> EndpointsSeen:
    reason = "InService" if ready else "Creating"
    return EndpointsSeen(EndpointsFacts(ready, reason, "", endpoints=NEW), former)


def test_a_former_endpoint_stays_in_mind_and_untouched_until_its_successor_serves() -> None:
    observation = observed_runtime(a_runtime(), now=at(3600))

    draft = fold_endpoints(
        observation, runtime_draft(observation), _seen(ready=False, former=(OLD_TRAINING,))
    )

    assert draft.status.endpoints == [*NEW, OLD_TRAINING.status]
    assert draft.actions == ()


def test_a_former_endpoint_that_is_free_is_taken_down_once_its_successor_serves() -> None:
    observation = observed_runtime(a_runtime(), now=at(3600))

    draft = fold_endpoints(
        observation, runtime_draft(observation), _seen(ready=True, former=(OLD_TRAINING, OLD_INFERENCE))
    )

    assert draft.status.endpoints == [*NEW, OLD_TRAINING.status, OLD_INFERENCE.status]
    assert draft.actions == (RetireEndpoint(OLD_TRAINING.status), RetireEndpoint(OLD_INFERENCE.status))


def test_a_former_endpoint_that_is_not_free_is_looked_at_again() -> None:
    observation = observed_runtime(a_runtime(), now=at(101))

    draft = fold_endpoints(
        observation, runtime_draft(observation), _seen(ready=True, former=(OLD_INFERENCE,))
    )

    assert (draft.actions, draft.requeue_after) == ((), 30)


def test_of_more_former_endpoints_than_a_status_takes_the_latest_stay_in_mind() -> None:
    observation = observed_runtime(a_runtime(), now=at(3600))
    former = tuple(FormerEndpoint(_status("Training", f"old-{number}"), at(100)) for number in range(8))

    draft = fold_endpoints(observation, runtime_draft(observation), _seen(ready=False, former=former))

    assert draft.status.endpoints == [*NEW, *(endpoint.status for endpoint in former[2:])]


@pytest.mark.parametrize(
    ("endpoint_name", "planned", "free"),
    [
        ("old-training", at(0), False),
        ("old-training", at(200), False),
        ("new-training", at(0), True),
        (None, at(100), False),
        (None, None, False),
        (None, at(101), True),
    ],
    ids=[
        "runs there",
        "was submitted there in the last moment",
        "runs elsewhere",
        "may have been submitted there",
        "nobody knows when it was planned",
        "was planned for its successor",
    ],
)
def test_a_training_endpoint_is_free_when_no_attempt_can_be_there(
    endpoint_name: str | None, planned: datetime | None, free: bool
) -> None:
    work = Work(attempts=(ActiveAttempt(endpoint_name, planned),))

    assert is_free(observed_runtime(a_runtime(), work=work, now=at(3600)), OLD_TRAINING) == free


@pytest.mark.parametrize(("seconds", "free"), [(219, False), (220, True)])
def test_an_inference_endpoint_is_free_when_no_call_can_be_under_way(seconds: int, free: bool) -> None:
    assert is_free(observed_runtime(a_runtime(), now=at(seconds)), OLD_INFERENCE) == free


def test_an_endpoint_that_is_gone_is_crossed_off() -> None:
    observation = observed_runtime(a_runtime())
    draft = runtime_draft(observation)
    draft = draft.with_status(draft.status.model_copy(update={"endpoints": [*NEW, OLD_TRAINING.status]}))
    going = EndpointsFacts(
        False, "Deleting", "", endpoints=(_status("Training", "old-training", "Deleting"),)
    )

    later = fold_retirement(draft, EndpointRetired(OLD_TRAINING.status, going))
    gone = fold_retirement(draft, EndpointRetired(OLD_TRAINING.status, EndpointsFacts(True, "Deleted", "")))

    assert later.status.endpoints == [*NEW, *going.endpoints]
    assert later.requeue_after == 3.0
    assert gone.status.endpoints == list(NEW)


def test_an_endpoint_that_may_not_be_deleted_stays_in_mind_and_is_tried_again_with_its_reason() -> None:
    observation = observed_runtime(a_runtime())
    denied = ActionFailed[RuntimeAction](
        RetireEndpoint(OLD_TRAINING.status), "AccessDenied", "sagemaker:DeleteEndpoint.", False
    )

    draft = fold_retirement(runtime_draft(observation), denied)

    assert draft.retrying is not None
    assert (draft.retrying.reason, draft.retrying.at_least) == ("AccessDenied", 30.0)
