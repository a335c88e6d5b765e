"""How attempts end: failures that name their cause, artifacts that are what they are said to be."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import ArtifactFile, ArtifactManifest
from avatar_api.documents.training import ArtifactResult, TrainingResult
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.base import (
    AttemptFailed,
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
)
from avatar_operator.backends.sagemaker import SageMakerBackend
from avatar_operator.backends.sagemaker.artifacts import ArtifactExpectation, artifact_defect
from builders.backend_objects import (
    BUCKET,
    NOW,
    REGION,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    make_training_request,
)


async def train(backend: SageMakerBackend, runtime: AvatarRuntime, token: str) -> AttemptOutcome:
    """Train with the word that tells the stand-in how to behave."""
    model = make_model(subject={"token": token})
    attempt = make_attempt(model)
    submission = await backend.submit_training(runtime, make_training_request(runtime, model, attempt))
    attempt = replace(
        attempt, output_location=submission.output_location, failure_location=submission.failure_location
    )
    return await eventually(
        lambda: backend.attempt_outcome(runtime, attempt), lambda outcome: outcome != AttemptPending()
    )


async def test_bad_photos_end_in_the_workers_own_words_with_a_verdict_per_photo(
    backend: SageMakerBackend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "blurry")
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.reason, outcome.retryable) == ("TooFewUsablePhotos", False)
    assert outcome.error is not None
    assert [verdict.rejection for verdict in outcome.error.photos or []] == ["Blurred"] * 10


async def test_a_worker_that_answers_500_is_worth_another_try(
    backend: SageMakerBackend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "oops")
    assert isinstance(outcome, AttemptFailed)
    assert (outcome.reason, outcome.retryable) == ("InternalError", True)


async def test_a_worker_that_was_killed_is_worth_another_try(
    backend: SageMakerBackend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "crash")
    assert isinstance(outcome, AttemptFailed)
    assert outcome.retryable
    assert outcome.error is None
    await eventually(lambda: backend.ensure_endpoints(runtime), lambda facts: facts.ready)


async def test_an_artifact_with_other_bytes_than_the_worker_says_has_a_defect(
    backend: SageMakerBackend, runtime: AvatarRuntime
) -> None:
    outcome = await train(backend, runtime, "broken")
    assert isinstance(outcome, AttemptSucceeded)
    assert "bytes, the worker says" in outcome.artifact_defect


class TestOutputObjects:
    """Outputs that are not what they should be. Written by hand: a worker of ours would not."""

    @pytest.fixture
    def attempt(self, s3: Any) -> AttemptReference:
        model = make_model()
        key = f"requests/output/team-a/{model.metadata.uid}/some.out"
        return make_attempt(
            model, output_location=f"s3://{BUCKET}/{key}", failure_location=f"s3://{BUCKET}/none"
        )

    async def outcome(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference, body: bytes
    ) -> AttemptOutcome:
        assert attempt.output_location is not None
        s3.put_object(Bucket=BUCKET, Key=attempt.output_location.removeprefix(f"s3://{BUCKET}/"), Body=body)
        return await SageMakerBackend(clients).attempt_outcome(make_runtime(), attempt)

    async def test_a_result_that_is_none_is_a_failure_and_not_retried(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        outcome = await self.outcome(clients, s3, attempt, b'{"status": "Training Completed!"}')
        assert isinstance(outcome, AttemptFailed)
        assert (outcome.reason, outcome.retryable) == ("ResultInvalid", False)

    async def test_another_attempts_result_is_not_taken(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        outcome = await self.outcome(
            clients, s3, attempt, result("avm-other", good_artifact()).model_dump_json(by_alias=True).encode()
        )
        assert isinstance(outcome, AttemptFailed)
        assert "avm-other" in outcome.message

    async def test_an_artifact_elsewhere_than_told_has_a_defect(
        self, clients: AwsClients, s3: Any, attempt: AttemptReference
    ) -> None:
        body = result(attempt.inference_id, good_artifact()).model_dump_json(by_alias=True).encode()
        outcome = await self.outcome(clients, s3, attempt, body)
        assert isinstance(outcome, AttemptSucceeded)
        assert "but was told" in outcome.artifact_defect


def good_artifact(**changes: Any) -> ArtifactResult:
    artifact = ArtifactResult(
        uri=f"s3://{BUCKET}/artifacts/elsewhere.tar.gz",
        manifest_uri=f"s3://{BUCKET}/artifacts/elsewhere.manifest.json",
        target_model="elsewhere.tar.gz",
        sha256=hashlib.sha256(b"weights").hexdigest(),
        size_bytes=len(b"weights"),
    )
    return artifact.model_copy(update=changes)


def result(inference_id: str, artifact: ArtifactResult) -> TrainingResult:
    return TrainingResult(
        inference_id=inference_id, artifact=artifact, photos=[], seconds=1.0, final_loss=0.1
    )


class TestArtifactDefects:
    """Each way in which a stored artifact can differ from the worker's word."""

    @pytest.fixture
    def attempt(self) -> AttemptReference:
        return make_attempt(make_model())

    @pytest.fixture
    def expectation(self, attempt: AttemptReference) -> ArtifactExpectation:
        return ArtifactExpectation.without_request(make_runtime(), attempt)

    @pytest.fixture
    def artifact(self, expectation: ArtifactExpectation) -> ArtifactResult:
        return good_artifact(**expectation.destination.model_dump())

    def store(
        self,
        s3: Any,
        expectation: ArtifactExpectation,
        *,
        body: bytes = b"weights",
        checksum: bool = True,
        **manifest: Any,
    ) -> None:
        prefix = f"s3://{BUCKET}/"
        sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
        s3.put_object(
            Bucket=BUCKET,
            Key=expectation.destination.uri.removeprefix(prefix),
            Body=body,
            **(
                {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": sha256}
                if checksum
                else {"ChecksumAlgorithm": "CRC32"}
            ),
        )
        model = make_model()
        request = make_training_request(make_runtime(), model, make_attempt(model))
        document = ArtifactManifest(
            model=request.model,
            revision=1,
            attempt=1,
            inference_id=expectation.inference_id,
            base_model=request.base_model,
            subject=request.subject,
            training=request.training,
            photo_count=10,
            files=[ArtifactFile(path="pytorch_lora_weights.safetensors", sha256="0" * 64, size_bytes=1)],
            created_at=NOW,
            worker_version="test",
        ).to_wire()
        s3.put_object(
            Bucket=BUCKET,
            Key=expectation.destination.manifest_uri.removeprefix(prefix),
            Body=json.dumps({**document, **manifest}).encode(),
        )

    async def defect(
        self, clients: AwsClients, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> str:
        return await artifact_defect(S3Objects(clients, REGION), artifact, expectation)

    async def test_a_sound_artifact_has_none(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        self.store(s3, expectation)
        assert await self.defect(clients, artifact, expectation) == ""

    async def test_nothing_stored(
        self, clients: AwsClients, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        assert await self.defect(clients, artifact, expectation) == f"{artifact.uri} is not there"

    async def test_other_content_of_the_same_size(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        self.store(s3, expectation, body=b"weightz")
        assert "has SHA-256" in await self.defect(clients, artifact, expectation)

    async def test_no_checksum_to_compare(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        self.store(s3, expectation, checksum=False)
        assert "without a SHA-256 checksum" in await self.defect(clients, artifact, expectation)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"inferenceId": "avm-other"}, "the manifest is that of avm-other"),
            ({"revision": 2}, "revision 2"),
            (
                {"baseModel": {"source": f"s3://{BUCKET}/base/", "revision": "main", "sha256": "c" * 64}},
                "was trained on base cccc",
            ),
            (
                {"files": [{"path": "weights.bin", "sha256": "0" * 64, "sizeBytes": 1}]},
                "lists no pytorch_lora",
            ),
            ({"files": []}, "is no manifest"),
        ],
    )
    async def test_a_manifest_that_does_not_fit(
        self,
        clients: AwsClients,
        s3: Any,
        artifact: ArtifactResult,
        expectation: ArtifactExpectation,
        change: dict[str, Any],
        complaint: str,
    ) -> None:
        self.store(s3, expectation, **change)
        assert complaint in await self.defect(clients, artifact, expectation)
