"""Endings: the raw reading of an object and the typed one say the same."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.endings import raw_active_attempt, raw_request_has_ended
from avatar_api.training_status import TrainingStatus
from avatar_operator.model_lifecycle.observation import is_active
from avatar_operator.request_lifecycle.conditions import is_finished
from builders.clock import NOON
from builders.objects import a_condition


@pytest.mark.parametrize("others", [[], [a_condition("Ready", "False", "Drawing")]], ids=["alone", "others"])
@pytest.mark.parametrize(
    ("succeeded", "ended"),
    [(None, False), ("Unknown", False), ("Invented", False), ("True", True), ("False", True)],
)
def test_a_request_has_ended_when_it_says_whether_it_succeeded(
    succeeded: str | None, ended: bool, others: list[object]
) -> None:
    conditions = [*others]
    if succeeded is not None:
        conditions.append(
            a_condition("Succeeded", "Unknown", "Drawing").model_copy(update={"status": succeeded})
        )
    status = AvatarRequestStatus.model_validate({"conditions": conditions})

    assert is_finished(status) is ended
    assert raw_request_has_ended({"status": status.to_wire()}) is ended
    assert not raw_request_has_ended({})


@pytest.mark.parametrize(
    ("training", "active"),
    [
        (None, False),
        (TrainingStatus(revision=1, attempt=0), False),
        (TrainingStatus(revision=1, attempt=1, inference_id="avm-1"), True),
        (TrainingStatus(revision=1, attempt=1, inference_id="avm-1", submitted_time=NOON), True),
        (TrainingStatus(revision=1, attempt=1, inference_id="avm-1", completion_time=NOON), False),
    ],
    ids=["new", "not planned", "planned", "submitted", "ended"],
)
def test_an_attempt_is_active_from_its_plan_to_its_end(training: TrainingStatus | None, active: bool) -> None:
    status = AvatarModelStatus(training=training)

    assert is_active(training) is active
    assert (raw_active_attempt({"status": status.to_wire()}) is not None) is active
    assert raw_active_attempt({}) is None
