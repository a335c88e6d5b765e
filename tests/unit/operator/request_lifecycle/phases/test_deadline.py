"""Deadline: a request that waits or draws for too long fails, and waiting does not count as drawing."""

from dataclasses import replace

import pytest

from avatar_operator.request_lifecycle.lifecycle import state_of
from avatar_operator.request_lifecycle.phases.deadline import deadline
from builders import request_stages
from builders.objects import a_request
from builders.observations import at, observed_request, request_draft, request_says

RUNNING = request_stages.drawing()


def test_a_request_in_time_is_looked_at_again_when_it_is_due() -> None:
    observation = observed_request(a_request(status=RUNNING), now=at(600))

    assert deadline(observation, request_draft(observation)).requeue_after == 3000


def test_an_overdue_request_fails_even_without_a_model() -> None:
    request = a_request(spec={"queueDeadlineSeconds": 60})
    observation = observed_request(request, model=None, runtime=None, now=at(60))

    draft = deadline(observation, request_draft(observation))

    assert state_of(draft.status, deleting=False) == "Failed"
    assert request_says(draft, "Succeeded") == ("False", "QueueDeadlineExceeded")


def test_pictures_that_are_all_there_are_taken_however_late_that_is_noticed() -> None:
    observation = replace(observed_request(a_request(status=RUNNING), now=at(4000)), pictures=())

    assert deadline(observation, request_draft(observation)) == request_draft(observation)


def test_waiting_does_not_count_as_drawing() -> None:
    request = a_request(
        spec={"queueDeadlineSeconds": 60, "activeDeadlineSeconds": 60},
        status=request_stages.drawing(since=at(50)),
    )
    observation = observed_request(request, now=at(100))

    assert deadline(observation, request_draft(observation)).requeue_after == 10


@pytest.mark.parametrize(
    ("wanted", "due"), [(600, 600), (None, 3600), (7200, 3600)], ids=["less", "nothing", "more"]
)
def test_the_earlier_of_the_requests_deadline_and_the_runtimes_counts(wanted: int | None, due: int) -> None:
    spec = {"activeDeadlineSeconds": wanted, "queueDeadlineSeconds": wanted}
    for status in (RUNNING, None):
        observation = observed_request(a_request(spec=spec, status=status))

        assert deadline(observation, request_draft(observation)).requeue_after == due
