"""A place is asked for by those who would begin with this very pass, and by nobody else."""

import pytest

from avatar_api.avatar_model import AvatarModel
from avatar_operator.model_lifecycle.inquiries import needs_place
from builders import model_stages
from builders.backend import out_of_reach
from builders.clock import NOON
from builders.objects import a_model, a_runtime, photos
from builders.observations import at, observed_model

RUNTIME = a_runtime(spec={"quotas": {"maxRunningTrainings": 1}})


@pytest.mark.parametrize(
    "model",
    [
        a_model(),
        a_model(status=model_stages.waiting()),
        a_model(status=model_stages.failed(retry_in=30)),
        a_model(status=model_stages.submitted(), spec={"revision": 2}),
        a_model(status=model_stages.hosted(), spec={"revision": 2}),
    ],
    ids=["new", "waiting", "failed", "another revision", "trained again"],
)
def test_whoever_is_about_to_be_planned_needs_one(model: AvatarModel) -> None:
    assert needs_place(observed_model(model, runtime=RUNTIME, photos=photos(), now=at(60)))


@pytest.mark.parametrize(
    "model",
    [
        a_model(status=model_stages.planned()),
        a_model(status=model_stages.submitted()),
        a_model(status=model_stages.hosted()),
        a_model(status=model_stages.failed()),
        a_model(status=model_stages.failed(retry_in=90)),
        a_model(status=model_stages.waiting(), spec={"suspend": True}),
        a_model(status=model_stages.waiting(), deleted_at=NOON),
        a_model(status=model_stages.waiting(), spec={"photos": {"s3Prefix": "s3://elsewhere/"}}),
    ],
    ids=["planned", "submitted", "trained", "failed for good", "too early", "suspended", "going", "refused"],
)
def test_whoever_is_at_work_has_ended_or_cannot_begin_needs_none(model: AvatarModel) -> None:
    assert not needs_place(observed_model(model, runtime=RUNTIME, photos=photos(), now=at(60)))


def test_whoever_has_no_photos_or_cannot_be_told_of_them_needs_none() -> None:
    waiting = a_model(status=model_stages.waiting())
    for found in (photos(1), out_of_reach()):
        assert not needs_place(observed_model(waiting, runtime=RUNTIME, photos=found))


def test_whoever_waits_for_the_runtime_stands_in_line_meanwhile() -> None:
    runtime = a_runtime(spec={"quotas": {"maxRunningTrainings": 1}}, ready=False)

    assert needs_place(observed_model(a_model(status=model_stages.waiting()), runtime=runtime))
