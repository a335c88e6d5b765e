"""Whatever a worker says, what becomes of it is a status that the API server takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import TrainingProgressMessage, TrainingResult
from avatar_operator.backends.attempts import AttemptFailed, AttemptOutcome, AttemptSucceeded
from avatar_operator.model_lifecycle.lifecycle import decide, summarise
from avatar_operator.model_lifecycle.possible_progress import is_possible
from avatar_operator.names import inference_id
from builders import model_stages
from builders.backend import a_success
from builders.objects import MODEL_UID, a_model
from builders.observations import a_progress_message, at, observed_model
from builders.wire_documents import mutated

FIRST = inference_id(MODEL_UID, 1, 1)


def _status(
    outcome: AttemptOutcome | None = None, progress: TrainingProgressMessage | None = None
) -> AvatarModelStatus:
    """The status after one pass over a model in training."""
    status = model_stages.working(since=at(10))
    observation = observed_model(a_model(status=status), outcome=outcome, progress=progress, now=at(100))
    return summarise(observation, decide(observation)).status


def _is_taken(status: AvatarModelStatus) -> bool:
    wire: dict[str, object] = json.loads(json.dumps(status.to_wire(), allow_nan=False))
    understood = AvatarModelStatus.model_validate(wire).to_wire()
    return understood == wire


@given(mutated(TrainingResult))
def test_whatever_a_success_says(text: str) -> None:
    try:
        result = parse_document(TrainingResult, text)
    except UnreadableDocument:
        return
    status = _status(AttemptSucceeded(result))
    assert status.state == "Ready"
    assert _is_taken(status)


@given(mutated(WorkerError))
def test_whatever_a_failure_says(text: str) -> None:
    try:
        error = parse_document(WorkerError, text)
    except UnreadableDocument:
        return
    status = _status(AttemptFailed(error.code, error.message, error.retryable, error))
    assert status.last_failure is not None
    assert _is_taken(status)


@given(mutated(TrainingProgressMessage))
def test_whatever_progress_is_told(text: str) -> None:
    try:
        message = parse_document(TrainingProgressMessage, text)
    except UnreadableDocument:
        return
    assert _is_taken(_status(progress=message))


def test_an_artifact_lies_where_the_operator_says_whatever_a_result_says() -> None:
    success = a_success(FIRST)
    elsewhere = success.result.artifact.model_copy(
        update={"uri": "s3://models/artifacts/team-b/x.tar.gz", "target_model": "team-b/x.tar.gz"}
    )
    forged = AttemptSucceeded(
        success.result.model_copy(update={"artifact": elsewhere}), findings=success.findings
    )

    artifact = _status(forged).artifact

    assert artifact is not None
    assert artifact.target_model == f"team-a/{MODEL_UID}/r1-a1.tar.gz"
    assert artifact.uri == f"s3://models/artifacts/{artifact.target_model}"
    assert artifact.weights_sha256 == success.findings.weights_sha256


@pytest.mark.parametrize(
    ("claimed", "seconds"), [(61.6, 62), (2147483647.0, 100)], ids=["true", "impossible"]
)
def test_a_worker_has_not_worked_for_longer_than_its_attempt_has_been_there(
    claimed: float, seconds: int
) -> None:
    success = a_success(FIRST)
    result = success.result.model_copy(update={"seconds": claimed})

    training = _status(AttemptSucceeded(result, success.findings)).training

    assert training is not None
    assert training.seconds == seconds
    assert training.estimated_cost is not None
    assert float(training.estimated_cost.amount) == pytest.approx(min(claimed, 100) * 1.408 / 3600, abs=1e-6)


def _body(steps: int | None = 800) -> dict[str, Any]:
    status = model_stages.submitted()
    assert status.training is not None
    training = status.training.model_copy(update={"steps": steps})
    return a_model(status=status.model_copy(update={"training": training})).to_wire()


Forgery = Callable[[TrainingProgressMessage], TrainingProgressMessage]


def _with(**changes: Any) -> Forgery:
    return lambda message: message.model_copy(update=changes)


@pytest.mark.parametrize(
    "forge",
    [
        _with(total_steps=801),
        _with(total_steps=2147483647, step=2147483647),
        _with(step=801, total_steps=800),
        _with(stage="Packaging", step=801, total_steps=801),
        _with(stage="Preparing", step=1, total_steps=1101),
        lambda message: message.model_copy(
            update={"model": message.model.model_copy(update={"namespace": "team-b"})}
        ),
        lambda message: message.model_copy(
            update={"model": message.model.model_copy(update={"uid": "another"})}
        ),
    ],
    ids=[
        "more steps than were asked for",
        "without end",
        "further than there are steps",
        "packaging of more",
        "more photos than there can be",
        "of another namespace",
        "of another model",
    ],
)
def test_progress_that_cannot_be_is_recognised(forge: Forgery) -> None:
    message = a_progress_message("Training", 400, 800)
    assert is_possible(message, _body())

    assert not is_possible(forge(message), _body())


@pytest.mark.parametrize(
    "honest",
    [
        a_progress_message("Preparing", 0, 0),
        a_progress_message("Preparing", 1100, 1100),
        a_progress_message("Training", 0, 800),
        a_progress_message("Training", 800, 800),
        a_progress_message("Packaging", 0, 0),
    ],
    ids=["begins", "has prepared all it may", "trains", "has trained", "packs"],
)
def test_progress_that_can_be_is_believed(honest: TrainingProgressMessage) -> None:
    assert is_possible(honest, _body())


@pytest.mark.parametrize(("total", "possible"), [(20000, True), (20001, False)])
def test_without_a_record_of_what_was_asked_the_most_that_can_be_is_the_limit(
    total: int, possible: bool
) -> None:
    assert is_possible(a_progress_message("Training", 1, total), _body(steps=None)) is possible


@given(st.none() | st.text() | st.floats() | st.lists(st.integers()))
def test_a_status_of_another_version_makes_nobody_stumble(steps: object) -> None:
    body = _body()
    body["status"]["training"]["steps"] = steps

    assert is_possible(a_progress_message("Training", 1, 20000), body)
