"""Deletion: the pictures go before their request, unless it retains them, and it goes in bounded time."""

import pytest

from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind.actions import DataDeleted, MarkedRetained, MarkRetained, RecordLeftBehind
from avatar_operator.request_lifecycle.actions import DeletePictures, RequestAction
from avatar_operator.request_lifecycle.notes import DrawingNotes
from avatar_operator.request_lifecycle.phases.deletion import deletion, fold_cleanup
from avatar_operator.request_lifecycle.phases.keeping import fold_mark
from builders import request_stages
from builders.clock import NOON
from builders.objects import a_request
from builders.observations import at, observed_request, request_draft
from builders.request_stages import PREFIX

SUCCEEDED = request_stages.succeeded()
ANSWERED = DrawingNotes(all_answered=True)


def test_the_pictures_go_before_their_request() -> None:
    observation = observed_request(a_request(deleted_at=NOON, status=SUCCEEDED), notes=ANSWERED)

    draft = deletion(observation, request_draft(observation))
    cleaned = fold_cleanup(observation, draft, DataDeleted(CleanupReport()))

    assert draft.actions == (DeletePictures(),)
    assert draft.finalizer == "Keep"
    assert cleaned.finalizer == "Remove"


def test_pictures_stay_if_the_request_says_retain() -> None:
    request = a_request(deleted_at=NOON, spec={"deletionPolicy": "Retain"}, status=SUCCEEDED)
    observation = observed_request(request)

    draft = deletion(observation, request_draft(observation))

    assert draft.actions == (MarkRetained(),)
    assert fold_mark(observation, draft, MarkedRetained()).finalizer == "Remove"


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_request_that_retains_its_pictures_goes_though_its_runtime_is_gone(policy: str) -> None:
    request = a_request(deleted_at=NOON, spec={"deletionPolicy": policy}, status=SUCCEEDED)
    observation = observed_request(request, runtime=None)

    draft = deletion(observation, request_draft(observation))

    assert draft.finalizer == "Remove"
    assert bool(draft.farewells) == (policy == "Delete")


def test_a_request_that_drew_nothing_has_nothing_to_remove() -> None:
    observation = observed_request(a_request(deleted_at=NOON))

    draft = deletion(observation, request_draft(observation))

    assert draft.actions == ()
    assert draft.finalizer == "Remove"


@pytest.mark.parametrize(
    "fact",
    [
        DataDeleted(CleanupReport(left_behind=("s3://x",))),
        ActionFailed(DeletePictures(), "AccessDenied", "denied: s3://x", retryable=False),
        ActionFailed(DeletePictures(), "Throttled", "slow down: s3://x", retryable=True),
    ],
    ids=["left behind", "denied", "throttled"],
)
def test_what_cannot_be_removed_is_tried_again_then_handed_over_and_at_last_let_go(
    fact: DataDeleted | ActionFailed[RequestAction],
) -> None:
    request = a_request(deleted_at=NOON, status=SUCCEEDED)
    kept, handed, gone = (
        fold_cleanup(observation, request_draft(observation), fact)
        for observation in (
            observed_request(request, now=at(599)),
            observed_request(request, now=at(10_000), asked_since=at(6401)),
            observed_request(request, now=at(10_000), asked_since=at(6400)),
        )
    )

    assert kept.finalizer == handed.finalizer == "Keep"
    assert kept.retrying is not None
    assert "s3://x" in kept.retrying.message
    (record,) = handed.actions
    assert isinstance(record, RecordLeftBehind)
    assert "s3://x" in record.remains
    assert gone.finalizer == "Remove"
    assert gone.retrying is None
    assert [notice.reason for notice in gone.farewells] == ["CleanupIncomplete"]
    assert "s3://x" in gone.farewells[0].message


def test_a_request_whose_runtime_is_gone_is_let_go_and_says_what_stays() -> None:
    observation = observed_request(a_request(deleted_at=NOON, status=SUCCEEDED), runtime=None)

    draft = deletion(observation, request_draft(observation))

    assert draft.finalizer == "Remove"
    assert [notice.reason for notice in draft.farewells] == ["CleanupImpossible"]
    assert PREFIX in draft.farewells[0].message
