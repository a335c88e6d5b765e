"""What only the simulation promises: answers that a restart does not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_operator.backends.attempts import AttemptFailed, AttemptPending, AttemptSucceeded
from avatar_operator.backends.simulated import objects, simulated_backend
from avatar_operator.backends.simulated.derived import fails
from avatar_operator.names import inference_id
from builders.backend_objects import StoppedClock, make_attempt, make_model, make_simulated_runtime


async def test_a_training_tells_when_to_look_again(clock: StoppedClock) -> None:
    runtime = make_simulated_runtime(trainingSeconds=10)
    attempt = make_attempt(make_model(), submitted_time=clock.now())
    clock.time += timedelta(seconds=4)
    assert await simulated_backend(clock).compute.attempt_outcome(runtime, attempt) == AttemptPending(
        check_after=6.0, stage="Training", started=attempt.submitted_time
    )


async def test_a_restarted_operator_gets_the_same_outcome(clock: StoppedClock) -> None:
    runtime = make_simulated_runtime(trainingSeconds=10)
    attempt = make_attempt(make_model(), submitted_time=clock.now())
    clock.time += timedelta(seconds=10)
    first = await simulated_backend(clock).compute.attempt_outcome(runtime, attempt)
    assert isinstance(first, AttemptSucceeded)
    assert await simulated_backend(clock).compute.attempt_outcome(runtime, attempt) == first


async def test_failures_are_retryable_and_the_next_attempt_has_its_own_fate(clock: StoppedClock) -> None:
    runtime = make_simulated_runtime(trainingSeconds=0, failurePercent=50)
    model = make_model()
    outcomes = [
        await simulated_backend(clock).compute.attempt_outcome(
            runtime, replace(make_attempt(model, attempt=number), submitted_time=clock.now())
        )
        for number in range(1, 50)
    ]
    failed = [outcome for outcome in outcomes if isinstance(outcome, AttemptFailed)]
    assert 0 < len(failed) < len(outcomes)
    assert {(outcome.reason, outcome.retryable) for outcome in failed} == {("InternalError", True)}


@given(st.uuids(), st.integers(1, 1000))
def test_nothing_fails_at_0_percent_and_everything_at_100(uid: object, attempt: int) -> None:
    name = inference_id(str(uid), 1, attempt)
    assert not fails(name, 0)
    assert fails(name, 100)


async def test_only_the_last_directories_are_remembered(
    clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "MAX_DIRECTORIES", 2)
    pretended = objects.PretendedObjects(clock)
    for directory in ("a", "b", "a", "c"):
        pretended.write(f"s3://bucket/{directory}/object")
    assert [uri for uri, _ in pretended.everything()] == ["s3://bucket/a/object", "s3://bucket/c/object"]


async def test_named_photos_are_taken_as_they_are(clock: StoppedClock) -> None:
    model = make_model({"objects": [{"uri": "s3://photos/ann/1.png", "versionId": "v1"}]})
    (photo,) = await simulated_backend(clock).storage.list_photos(make_simulated_runtime(), model)
    assert (photo.uri, photo.version_id) == ("s3://photos/ann/1.png", "v1")
