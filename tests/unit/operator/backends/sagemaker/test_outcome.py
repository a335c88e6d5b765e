"""How attempts end: failures that name their cause, results that are those of the attempt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import ArtifactResult, TrainingResult
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
)
from avatar_operator.backends.selection import Backend
from avatar_operator.locations import outcome_extension
from builders.backend_objects import (
    BUCKET,
    StoppedClock,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    sagemaker_backend,
    submit,
)


async def train(backend: Backend, runtime: AvatarRuntime, token: str) -> AttemptOutcome:
    """Train with the word that tells the stand-in how to behave."""
    model = make_model(subject={"token": token})
    attempt = make_attempt(model)
    submission = await submit(backend, runtime, model, attempt)
    attempt = replace(
        attempt, output_location=submission.output_location, failure_location=submission.failure_location
    )
    return await eventually(
        lambda: backend.compute.attempt_outcome(runtime, attempt), lambda outcome: outcome != AttemptPending()
    )


async def test_bad_photos_end_in_the_workers_own_words_with_a_verdict_per_photo(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "blurry")
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.reason, outcome.retryable) == ("TooFewUsablePhotos", False)
    assert outcome.error is not None
    assert [verdict.rejection for verdict in outcome.error.photos or []] == ["Blurred"] * 10


async def test_a_worker_that_answers_500_is_worth_another_try(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "oops")
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.reason, outcome.retryable) == ("InternalError", True)


async def test_a_worker_that_was_killed_is_worth_another_try(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "crash")
    assert isinstance(outcome, AttemptFailed)
    assert outcome.retryable
    assert outcome.error is None
    await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.ready)


class TestOutputObjects:
    """Outputs that are not what they should be. Written by hand: a worker of ours would not."""

    @pytest.fixture
    def attempt(self, s3: Any) -> AttemptReference:
        model = make_model()
        attempt = make_attempt(model)
        own = outcome_extension("team-a", attempt.uid, attempt.inference_id)
        return replace(
            attempt,
            output_location=f"s3://{BUCKET}/theirs/output/{own}/some.out",
            failure_location=f"s3://{BUCKET}/theirs/failure/{own}/some.out",
        )

    async def outcome(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference, body: bytes
    ) -> AttemptOutcome:
        assert attempt.output_location is not None
        s3.put_object(Bucket=BUCKET, Key=attempt.output_location.removeprefix(f"s3://{BUCKET}/"), Body=body)
        compute = sagemaker_backend(clients, StoppedClock()).compute
        return await compute.attempt_outcome(make_runtime(), attempt)

    async def test_a_result_that_is_none_is_a_failure_and_not_retried(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        outcome = await self.outcome(clients, s3, attempt, b'{"status": "Training Completed!"}')
        assert isinstance(outcome, AttemptFailed)
        assert (outcome.reason, outcome.retryable) == ("ResultInvalid", False)

    @pytest.mark.parametrize(
        "changes",
        [
            {"photos": [{"uri": "s3://photos/1.jpg"}] * 101},
            {"seconds": float("inf")},
            {"seconds": True},
            {"finalLoss": float("nan")},
            {"padding": " " * (2 << 20)},
            {"schemaVersion": "avatars.dev/training-result/v9"},
        ],
        ids=["too many verdicts", "for ever", "no time", "no number", "too long", "of another version"],
    )
    async def test_what_is_out_of_bounds_ends_the_attempt(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference, changes: dict[str, Any]
    ) -> None:
        wire = {**result(attempt.inference_id).to_wire(), **changes}
        outcome = await self.outcome(clients, s3, attempt, json.dumps(wire).encode())
        assert isinstance(outcome, AttemptFailed)
        assert (outcome.reason, outcome.retryable) == ("ResultInvalid", False)
        assert len(outcome.message) < 1000

    async def test_a_failure_without_end_is_read_from_its_beginning(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        said = b'Received server error (500) from model with message "oops' + b" " * (8 << 20)
        assert attempt.failure_location is not None
        s3.put_object(Bucket=BUCKET, Key=attempt.failure_location.removeprefix(f"s3://{BUCKET}/"), Body=said)
        compute = sagemaker_backend(clients, StoppedClock()).compute
        outcome = await compute.attempt_outcome(make_runtime(), attempt)
        assert isinstance(outcome, AttemptFailed)
        assert (outcome.reason, outcome.retryable) == ("WorkerFailed", True)

    @pytest.mark.parametrize(
        "key",
        ["secret.txt", "requests/{own}/../../secret.txt", "requests/output/{own}/", "requests/output/{own}"],
    )
    async def test_what_a_status_names_and_is_not_the_attempts_own_is_not_read(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference, key: str
    ) -> None:
        key = key.format(own=outcome_extension("team-a", attempt.uid, attempt.inference_id))
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"what nobody shall read")
        forged = replace(
            attempt, output_location=f"s3://{BUCKET}/{key}", failure_location=f"s3://{BUCKET}/{key}"
        )
        compute = sagemaker_backend(clients, StoppedClock()).compute
        assert await compute.attempt_outcome(make_runtime(), forged) == AttemptPending()

    async def test_another_attempts_result_is_not_taken(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        outcome = await self.outcome(
            clients, s3, attempt, result("avm-other").model_dump_json(by_alias=True).encode()
        )
        assert isinstance(outcome, AttemptFailed)
        assert "another attempt" in outcome.message
        assert outcome.said.mention("avm-other")


def result(inference_id: str) -> TrainingResult:
    artifact = ArtifactResult(
        uri=f"s3://{BUCKET}/artifacts/some.tar.gz",
        manifest_uri=f"s3://{BUCKET}/artifacts/some.manifest.json",
        target_model="some.tar.gz",
        sha256="a" * 64,
        size_bytes=1,
    )
    return TrainingResult(
        inference_id=inference_id, artifact=artifact, photos=[], seconds=1.0, final_loss=0.1
    )
