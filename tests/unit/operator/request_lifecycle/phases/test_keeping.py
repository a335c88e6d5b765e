"""Keeping: what is to outlive a request is marked so once it is finished, and once more when the request goes."""

import pytest

from avatar_api.avatar_request import AvatarRequest, AvatarRequestStatus
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind.actions import (
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.left_behind.entries import left_by_request
from avatar_operator.request_lifecycle.actions import RequestAction, RequestDraft
from avatar_operator.request_lifecycle.phases.deletion import deletion
from avatar_operator.request_lifecycle.phases.keeping import fold_mark, keeping
from builders import request_stages
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import a_request, a_runtime
from builders.observations import STANDARD, at, observed_request, request_draft

RETAIN: Changes = {"deletionPolicy": "Retain"}
SUCCEEDED = request_stages.succeeded()
MARKED = SUCCEEDED.model_copy(update={"retained_time": NOON})


@pytest.mark.parametrize(
    ("status", "spec", "marks"),
    [
        (SUCCEEDED, RETAIN, 1),
        (SUCCEEDED, {}, 0),
        (MARKED, RETAIN, 0),
        (request_stages.drawing(), RETAIN, 0),
        (AvatarRequestStatus(), RETAIN, 0),
    ],
    ids=["to stay", "to go", "marked", "not finished", "nothing drawn"],
)
def test_pictures_that_are_to_stay_are_marked_once_the_request_is_finished(
    status: AvatarRequestStatus, spec: Changes, marks: int
) -> None:
    observation = observed_request(a_request(spec=spec, status=status))

    assert keeping(observation, request_draft(observation)).actions == (MarkRetained(),) * marks


def test_a_mark_goes_when_the_pictures_are_to_go_after_all() -> None:
    observation = observed_request(a_request(status=MARKED))
    assert keeping(observation, request_draft(observation)).actions == (UnmarkRetained(),)
    assert fold_mark(observation, request_draft(observation), UnmarkedRetained()).status.retained_time is None


def test_a_request_whose_runtime_is_gone_is_left_alone() -> None:
    observation = observed_request(a_request(spec=RETAIN, status=SUCCEEDED), runtime=None)

    assert keeping(observation, request_draft(observation)) == request_draft(observation)


def test_the_status_says_since_when_they_are_marked() -> None:
    observation = observed_request(a_request(spec=RETAIN, status=SUCCEEDED), now=at(7))

    draft = fold_mark(observation, request_draft(observation), MarkedRetained())

    assert (draft.status.retained_time, draft.finalizer) == (at(7), "Keep")


def _failed(request: AvatarRequest, *, seconds: float, asked: float | None = None) -> RequestDraft:
    observation = observed_request(
        request, now=at(seconds), asked_since=None if asked is None else at(seconds - asked)
    )
    failed = ActionFailed[RequestAction](MarkRetained(), "AccessDenied", "s3:PutObject.", retryable=False)
    return fold_mark(observation, request_draft(observation), failed)


def test_a_mark_that_is_denied_is_tried_again_at_leisure_while_the_request_lives() -> None:
    draft = _failed(a_request(spec=RETAIN, status=SUCCEEDED), seconds=1)

    assert draft.retrying is not None
    assert (draft.retrying.reason, draft.retrying.at_least) == ("AccessDenied", 300)


def _going(status: AvatarRequestStatus) -> AvatarRequest:
    return a_request(deleted_at=NOON, status=status, spec=RETAIN)


def test_pictures_that_cannot_be_marked_hold_the_request_until_its_runtime_takes_over() -> None:
    waiting, handing_over, going = (
        _failed(_going(SUCCEEDED), seconds=seconds, asked=asked)
        for seconds, asked in ((599, None), (10_000, None), (10_000, 3600))
    )

    assert waiting.retrying is not None
    assert (handing_over.retrying, handing_over.farewells) == (None, ())
    assert [type(action) for action in handing_over.actions] == [RecordLeftBehind]
    assert (going.actions, going.finalizer) == ((), "Remove")
    assert [notice.reason for notice in going.farewells] == ["RetainedUnmarked"]


def test_a_request_whose_runtime_has_taken_over_goes() -> None:
    request = _going(SUCCEEDED)
    entry = left_by_request(STANDARD, request, NOON)
    runtime = a_runtime(status=STANDARD.status.model_copy(update={"left_behind": [entry]}))
    observation = observed_request(request, runtime=runtime, now=at(601))

    draft = deletion(observation, request_draft(observation))

    assert (draft.finalizer, draft.actions) == ("Remove", ())
    assert entry.retained[0] in draft.farewells[0].message


def test_pictures_that_were_marked_before_hold_nobody() -> None:
    draft = _failed(_going(MARKED), seconds=1)

    assert (draft.retrying, draft.farewells, draft.finalizer) == (None, (), "Remove")
