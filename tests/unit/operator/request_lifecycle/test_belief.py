"""Belief: what the operator cannot have written of a request is not used, and nothing is looked at on its behalf."""

from datetime import timedelta
from typing import Any

import pytest

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.core.foreign_status import Belief
from avatar_operator.request_lifecycle.belief import believed
from avatar_operator.request_lifecycle.phases.acceptance import refusal
from avatar_operator.request_lifecycle.phases.resolution import loss_of
from builders import model_stages, request_stages
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, a_model, a_request, a_runtime
from builders.observations import observed_request

MODEL = a_model(status=model_stages.hosted())


def belief_in(changes: dict[str, Any], spec: dict[str, Any] | None = None) -> Belief[AvatarRequestStatus]:
    status = request_stages.drawing().model_copy(update=changes)
    return believed(a_request(status=status, spec=spec), MODEL, NOON)


def test_what_the_operator_writes_is_believed() -> None:
    assert belief_in({}) == Belief(request_stages.drawing())


def test_the_runtime_is_that_of_the_model() -> None:
    belief = belief_in({"runtime_name": "theirs"})

    assert (belief.status.runtime_name, belief.foreign) == ("standard", ("status.runtimeName",))


def test_drawing_began_no_later_than_now() -> None:
    belief = belief_in({"start_time": NOON + timedelta(days=3650)})

    assert (belief.status.start_time, belief.foreign) == (NOON, ("status.startTime, a time in the future",))


@pytest.mark.parametrize(
    ("prefix", "spec"),
    [
        (f"s3://theirs/{REQUEST_UID}/", None),
        (f"s3://theirs/team-b/{REQUEST_UID}/", None),
        (f"s3://b/../team-a/{REQUEST_UID}/", None),
        (f"s3://theirs/team-a/{REQUEST_UID}/", {"output": {"prefix": "s3://albums/team-a/"}}),
    ],
)
def test_a_place_that_is_not_the_requests_own_is_said(prefix: str, spec: dict[str, Any] | None) -> None:
    assert belief_in({"storage_prefix": prefix}, spec).foreign == ("status.storagePrefix",)


def test_nothing_is_drawn_to_where_the_runtime_stores_no_pictures() -> None:
    status = request_stages.drawing().model_copy(
        update={"storage_prefix": f"s3://theirs/team-a/{REQUEST_UID}/"}
    )

    refused = refusal(a_runtime(), a_request(status=status), {})

    assert refused is not None
    assert refused[0] == "OutputNotAllowed"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bob"},
        {"target_model": f"team-a/{MODEL_UID}/../bob/r1-a1.tar.gz"},
        {"target_model": f"team-a/{MODEL_UID}/r2-a1.tar.gz"},
        {"uri": "s3://photos/team-b/bob/01.jpg"},
        {"uri": f"s3://theirs/team-a/{MODEL_UID}/r1-a1.tar.gz"},
    ],
)
def test_an_artifact_that_is_not_the_models_own_is_not_drawn_with(changes: dict[str, Any]) -> None:
    pinned = request_stages.pinned().model_copy(update=changes)
    request = a_request(status=request_stages.drawing(model=pinned))

    lost = loss_of(observed_request(request, model=MODEL))

    assert lost is not None
    assert lost[0] == "ArtifactForeign"
