"""What a runtime's endpoints are at work on."""

from typing import Any

import pytest

from avatar_operator.runtime_lifecycle.work import ActiveAttempt, Work, work_of
from builders.clock import NOON
from builders.manifests import Changes, model_manifest, request_manifest

PLANNED = {"revision": 1, "attempt": 1, "inferenceId": "avm-1", "plannedTime": "2026-11-22T12:00:00Z"}
DRAWING = {"runtimeName": "standard", "model": {"name": "ann"}}


def _model(training: Changes | None) -> dict[str, Any]:
    return {**model_manifest(), "status": {} if training is None else {"training": dict(training)}}


def _request(status: Changes) -> dict[str, Any]:
    return {**request_manifest(), "status": dict(status)}


@pytest.mark.parametrize(
    ("training", "attempts"),
    [
        (None, ()),
        ({"revision": 1, "attempt": 0}, ()),
        (PLANNED, (ActiveAttempt(None, NOON),)),
        (PLANNED | {"sagemaker": {"endpointName": "old"}}, (ActiveAttempt("old", NOON),)),
        (PLANNED | {"completionTime": "2026-11-22T13:00:00Z"}, ()),
    ],
    ids=["new", "not planned", "planned", "submitted", "ended"],
)
def test_attempts_count_from_their_plan_to_their_end(
    training: Changes | None, attempts: tuple[ActiveAttempt, ...]
) -> None:
    assert work_of("standard", [_model(training)], []).attempts == attempts


@pytest.mark.parametrize(
    ("status", "drawing"),
    [
        ({}, 0),
        ({"runtimeName": "standard"}, 0),
        (DRAWING, 1),
        (DRAWING | {"runtimeName": "other"}, 0),
        (DRAWING | {"conditions": [{"type": "Succeeded", "status": "Unknown"}]}, 1),
        (DRAWING | {"conditions": [{"type": "Succeeded", "status": "False"}]}, 0),
    ],
)
def test_requests_count_while_they_draw(status: Changes, drawing: int) -> None:
    assert work_of("standard", [], [_request(status)]) == Work(drawing=drawing)
