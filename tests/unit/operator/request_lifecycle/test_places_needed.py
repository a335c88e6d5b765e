"""A place is asked for by those whose drawing would begin with this very pass, and by nobody else."""

import pytest

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_operator.request_lifecycle.inquiries import needs_place
from builders import model_stages, request_stages
from builders.clock import NOON
from builders.objects import a_model, a_request, a_runtime
from builders.observations import at, observed_request

RUNTIME = a_runtime(spec={"quotas": {"maxWaitingPictures": 64}})
ANN = a_model(status=model_stages.hosted())


def test_whoever_is_about_to_be_told_what_to_draw_with_needs_one() -> None:
    assert needs_place(observed_request(a_request(), model=ANN, runtime=RUNTIME))


@pytest.mark.parametrize(
    ("drawn_for", "model"),
    [
        (a_request(), None),
        (a_request(), a_model(status=model_stages.submitted())),
        (a_request(status=request_stages.drawing()), ANN),
        (a_request(status=request_stages.succeeded()), ANN),
        (a_request(deleted_at=NOON), ANN),
        (a_request(spec={"output": {"prefix": "s3://elsewhere/"}}), ANN),
        (a_request(spec={"queueDeadlineSeconds": 5}), ANN),
    ],
    ids=["no model", "model in training", "drawing", "drawn", "going", "refused", "too late"],
)
def test_whoever_draws_has_ended_or_cannot_begin_needs_none(
    drawn_for: AvatarRequest, model: AvatarModel | None
) -> None:
    # Once drawing has begun its pictures lie in storage or are missing; here nobody looks.
    pictures = frozenset[str]()
    observation = observed_request(drawn_for, model=model, runtime=RUNTIME, existing=pictures, now=at(10))

    assert not needs_place(observation)
