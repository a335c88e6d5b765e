"""Keeping: what is to outlive a model is marked so while the model lives, and once more when it goes."""

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_operator.core.decision import ActionFailed, Retry
from avatar_operator.left_behind.actions import (
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.model_lifecycle.actions import ModelAction, ModelDraft
from avatar_operator.model_lifecycle.phases.keeping import fold_mark, keeping
from builders import model_stages
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import a_model
from builders.observations import at, model_draft, observed_model

RETAIN: Changes = {"deletionPolicy": "Retain"}
MARKED = model_stages.hosted().model_copy(update={"retained_time": NOON})


def _kept(status: AvatarModelStatus, spec: Changes = RETAIN) -> ModelDraft:
    observation = observed_model(a_model(spec=spec, status=status))
    return keeping(observation, model_draft(observation))


def test_artifacts_that_are_to_stay_are_marked_once_they_are_there() -> None:
    assert _kept(model_stages.hosted()).actions == (MarkRetained(),)


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        (model_stages.hosted(), {}),
        (MARKED, RETAIN),
        (model_stages.submitted(), RETAIN),
        (model_stages.failed(), RETAIN),
    ],
    ids=["they go with the model", "they are marked", "none yet", "none at all"],
)
def test_nothing_is_marked_where_there_is_no_need(status: AvatarModelStatus, spec: Changes) -> None:
    assert _kept(status, spec).actions == ()


def test_a_mark_goes_when_the_artifacts_are_to_go_after_all() -> None:
    assert _kept(MARKED, {}).actions == (UnmarkRetained(),)
    observation = observed_model(a_model(status=MARKED))
    assert fold_mark(observation, model_draft(observation), UnmarkedRetained()).status.retained_time is None


def test_a_model_whose_runtime_is_gone_is_left_alone() -> None:
    observation = observed_model(a_model(spec=RETAIN, status=model_stages.hosted()), runtime=None)

    assert keeping(observation, model_draft(observation)) == model_draft(observation)


def test_the_status_says_since_when_they_are_marked() -> None:
    observation = observed_model(a_model(spec=RETAIN, status=model_stages.hosted()), now=at(7))

    draft = fold_mark(observation, model_draft(observation), MarkedRetained())

    assert draft.status.retained_time == at(7)


def _failed(
    model: AvatarModel, *, seconds: float, asked: float | None = None, retryable: bool = True
) -> ModelDraft:
    observation = observed_model(
        model, now=at(seconds), asked_since=None if asked is None else at(seconds - asked)
    )
    failed = ActionFailed[ModelAction](MarkRetained(), "AccessDenied", "s3:PutObject.", retryable)
    return fold_mark(observation, model_draft(observation), failed)


def test_a_mark_that_is_denied_is_tried_again_at_leisure_while_the_model_lives() -> None:
    living = a_model(spec=RETAIN, status=model_stages.hosted())

    assert _failed(living, seconds=1).retrying == Retry("AccessDenied", "s3:PutObject.")
    assert _failed(living, seconds=1, retryable=False).retrying == Retry("AccessDenied", "s3:PutObject.", 300)


def _going(status: AvatarModelStatus) -> AvatarModel:
    return a_model(deleted_at=NOON, status=status, spec=RETAIN)


def test_artifacts_that_cannot_be_marked_hold_the_model_until_its_runtime_takes_over() -> None:
    waiting, handing_over, going = (
        _failed(_going(model_stages.hosted()), seconds=seconds, asked=asked)
        for seconds, asked in ((599, None), (10_000, None), (10_000, 3600))
    )

    assert waiting.retrying == Retry("AccessDenied", "s3:PutObject.")
    assert (handing_over.retrying, handing_over.farewells) == (None, ())
    assert [type(action) for action in handing_over.actions] == [RecordLeftBehind]
    assert going.actions == ()
    assert [notice.reason for notice in going.farewells] == ["RetainedUnmarked"]


def test_artifacts_that_were_marked_before_hold_nobody() -> None:
    draft = _failed(_going(MARKED), seconds=1)

    assert (draft.retrying, draft.actions, draft.farewells) == (None, (), ())
