"""The documents between operator and workers: what they take, what they refuse, and that they survive the journey."""

import json
from typing import get_args

import pytest
from pydantic import ValidationError

from avatar_api.documents.errors import HTTP_STATUS, RETRYABLE, WorkerError, WorkerErrorCode
from avatar_api.documents.inference import (
    MAX_PICTURES_PER_INVOCATION,
    InferenceRequest,
    InferenceResult,
    PictureRequest,
)
from avatar_api.documents.training import TrainingClaim, TrainingProgressMessage, TrainingResult
from avatar_operator.names import inference_id
from builders.backend import a_success
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import MODEL_UID
from builders.observations import a_progress_message

CODES = get_args(WorkerErrorCode)


def _picture(**changes: object) -> PictureRequest:
    return PictureRequest.model_validate(
        {"prompt": "a photo", "seed": 7, "promptIndex": 0, "imageIndex": 0} | changes
    )


def _request(changes: Changes | None = None, *, pictures: int = 1) -> InferenceRequest:
    return InferenceRequest.model_validate(
        {
            "pictures": [_picture().to_wire()] * pictures,
            "numInferenceSteps": 25,
            "guidanceScale": 7.5,
            "width": 512,
            "height": 512,
            "scheduler": "DDIM",
        }
        | dict(changes or {})
    )


def test_every_error_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(CODES)


@pytest.mark.parametrize("code", sorted(RETRYABLE))
def test_only_our_own_fault_is_retryable(code: WorkerErrorCode) -> None:
    assert HTTP_STATUS[code] >= 500


def test_an_error_of_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValidationError, match="code"):
        WorkerError.model_validate({"code": "Tired", "message": "", "retryable": True})


def test_an_error_without_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="message"):
        WorkerError(code="InternalError", message="x" * 2049, retryable=True)


def test_a_picture_is_named_by_its_place_and_seed() -> None:
    assert _picture(promptIndex=3, imageIndex=12, seed=42).file_name() == "03-12-42.png"


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": ""},
        {"prompt": "x" * 2001},
        {"seed": -1},
        {"seed": 2**32},
        {"promptIndex": 64},
        {"imageIndex": 16},
    ],
    ids=str,
)
def test_a_picture_out_of_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _picture(**changes)


def test_an_invocation_takes_as_many_pictures_as_it_says() -> None:
    assert len(_request(pictures=MAX_PICTURES_PER_INVOCATION).pictures) == MAX_PICTURES_PER_INVOCATION


@pytest.mark.parametrize("count", [0, MAX_PICTURES_PER_INVOCATION + 1])
def test_an_invocation_for_none_or_too_many_pictures_is_refused(count: int) -> None:
    with pytest.raises(ValidationError, match="pictures"):
        _request(pictures=count)


@pytest.mark.parametrize(
    "changes",
    [
        {"numInferenceSteps": 0},
        {"numInferenceSteps": 151},
        {"guidanceScale": -0.1},
        {"guidanceScale": 50.1},
        {"guidanceScale": float("nan")},
        {"width": 500},
        {"height": 4096},
        {"scheduler": "Euler"},
        {"outputPrefix": "s3://pictures/no-slash"},
        {"schemaVersion": "avatars.dev/inference-request/v2"},
    ],
    ids=str,
)
def test_an_invocation_out_of_range_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _request(changes)


def test_a_request_survives_its_journey() -> None:
    request = _request({"outputPrefix": "s3://pictures/team-a/"}, pictures=3)

    assert InferenceRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request


def test_a_progress_message_survives_its_journey() -> None:
    message = a_progress_message("Training", 7, remaining=60)

    assert TrainingProgressMessage.model_validate(message.to_wire()) == message


@pytest.mark.parametrize("member", ["step", "totalSteps", "estimatedRemainingSeconds", "sequence"])
@pytest.mark.parametrize("count", [-1, 2**31, 10**30, float("nan"), float("inf")])
def test_progress_counts_what_a_status_can_hold(member: str, count: float) -> None:
    with pytest.raises(ValidationError):
        TrainingProgressMessage.model_validate({**a_progress_message().to_wire(), member: count})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("member", ["seconds", "finalLoss"])
def test_what_is_no_number_is_refused(member: str, number: str) -> None:
    wire = {**a_success(inference_id(MODEL_UID, 1, 1)).result.to_wire(), member: 0.5}
    assert TrainingResult.model_validate_json(json.dumps(wire))

    with pytest.raises(ValidationError):
        TrainingResult.model_validate_json(json.dumps({**wire, member: float(number)}))


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": 2.0**31},
        {"seconds": 1e300},
        {"photos": [{"uri": "s3://photos/1.jpg"}] * 101},
        {"photos": [{"uri": f"s3://photos/{'x' * 1024}", "rejection": "Blurred"}]},
    ],
    ids=["too long for a status", "without end", "too many photos", "a name that is none"],
)
def test_a_result_says_what_a_status_can_hold(changes: Changes) -> None:
    wire = a_success(inference_id(MODEL_UID, 1, 1)).result.to_wire()

    with pytest.raises(ValidationError):
        TrainingResult.model_validate({**wire, **changes})


def test_an_error_has_as_many_verdicts_as_a_status_can_hold() -> None:
    with pytest.raises(ValidationError, match="photos"):
        WorkerError.model_validate(
            {
                "code": "TooFewUsablePhotos",
                "message": "",
                "retryable": False,
                "photos": [{"uri": "s3://photos/1.jpg", "rejection": "Blurred"}] * 101,
            }
        )


def test_drawing_takes_as_many_seconds_as_a_status_can_hold() -> None:
    with pytest.raises(ValidationError, match="generateSeconds"):
        InferenceResult.model_validate({"pictures": [], "generateSeconds": 1e300})


def test_a_claim_names_its_holder() -> None:
    claim = TrainingClaim(inference_id="avm-1", holder="Operator", time=NOON)

    assert claim.to_wire() == {
        "schemaVersion": "avatars.dev/training-claim/v1alpha1",
        "inferenceId": "avm-1",
        "holder": "Operator",
        "time": "2026-11-22T12:00:00Z",
    }
