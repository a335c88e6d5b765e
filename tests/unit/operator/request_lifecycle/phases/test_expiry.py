"""Expiry: a finished request stays as it is, and deletes itself when its time is over."""

import pytest

from avatar_operator.request_lifecycle.phases.expiry import expiry
from builders import request_stages
from builders.objects import a_request
from builders.observations import at, observed_request, request_draft

RUNNING = request_stages.drawing()
SUCCEEDED = request_stages.succeeded()


@pytest.mark.parametrize("ttl", [None, 60])
def test_a_finished_request_changes_no_more(ttl: int | None) -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": ttl}, status=SUCCEEDED)
    observation = observed_request(request, model=None, runtime=None)

    draft = expiry(observation, request_draft(observation))

    assert draft.status == SUCCEEDED
    assert draft.finished
    assert draft.requeue_after == ttl


def test_a_finished_request_deletes_itself_when_its_time_is_over() -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": 60}, status=SUCCEEDED)
    observation = observed_request(request, now=at(60))

    assert expiry(observation, request_draft(observation)).delete_object


def test_a_request_that_still_runs_does_not_expire() -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": 0}, status=RUNNING)
    observation = observed_request(request, now=at(60))

    assert expiry(observation, request_draft(observation)) == request_draft(observation)
