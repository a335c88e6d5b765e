"""Whether a stored artifact is what the worker says it is."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import ArtifactFile, ArtifactManifest
from avatar_api.documents.training import ArtifactResult
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.attempts import AttemptPending, AttemptReference, AttemptSucceeded
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.s3.artifacts import ArtifactExpectation, defect
from avatar_operator.backends.selection import Backend
from builders.backend_objects import (
    BUCKET,
    NOW,
    REGION,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    make_training_request,
    pinned,
    submit,
)


def good_artifact(**changes: Any) -> ArtifactResult:
    artifact = ArtifactResult(
        uri=f"s3://{BUCKET}/artifacts/elsewhere.tar.gz",
        manifest_uri=f"s3://{BUCKET}/artifacts/elsewhere.manifest.json",
        target_model="elsewhere.tar.gz",
        sha256=hashlib.sha256(b"weights").hexdigest(),
        size_bytes=len(b"weights"),
    )
    return artifact.model_copy(update=changes)


async def test_an_artifact_with_other_bytes_than_the_worker_says_has_a_defect(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    model = make_model(subject={"token": "broken"})
    attempt = make_attempt(model)
    await submit(backend, runtime, model, attempt)
    outcome = await eventually(
        lambda: backend.compute.attempt_outcome(runtime, attempt),
        lambda outcome: not isinstance(outcome, AttemptPending),
    )
    assert isinstance(outcome, AttemptSucceeded)
    complaint = await backend.storage.artifact_defect(runtime, attempt, outcome.result.artifact)
    assert "bytes, the worker says" in complaint


async def test_an_artifact_elsewhere_than_told_has_a_defect(backend: Backend) -> None:
    attempt = make_attempt(make_model())
    assert "but was told" in await backend.storage.artifact_defect(make_runtime(), attempt, good_artifact())


async def test_the_base_that_counts_is_the_one_that_was_asked_for(backend: Backend, s3: Any) -> None:
    model = make_model()
    attempt = make_attempt(model)
    request = make_training_request(make_runtime(), model, attempt)
    await backend.storage.write_request(make_runtime(), attempt, request)
    store(s3, ArtifactExpectation.without_request(make_runtime(), attempt))
    artifact = good_artifact(**request.artifact.model_dump())
    runtime = with_base(make_runtime(), "c" * 64)
    assert await backend.storage.artifact_defect(runtime, attempt, artifact) == ""
    await backend.storage.revoke_claim(runtime, attempt)
    assert "not on cccc" in await backend.storage.artifact_defect(runtime, attempt, artifact)


def with_base(runtime: AvatarRuntime, sha256: str) -> AvatarRuntime:
    base = runtime.spec.base_model.model_copy(update={"sha256": sha256})
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update={"base_model": base})})


def store(
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

    async def defect(
        self, clients: AwsClients, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> str:
        return await defect(S3Objects(clients, REGION), artifact, expectation)

    async def test_a_sound_artifact_has_none(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        store(s3, expectation)
        assert await self.defect(clients, artifact, expectation) == ""

    async def test_nothing_stored(
        self, clients: AwsClients, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        assert await self.defect(clients, artifact, expectation) == f"{artifact.uri} is not there"

    async def test_other_content_of_the_same_size(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        store(s3, expectation, body=b"weightz")
        assert "has SHA-256" in await self.defect(clients, artifact, expectation)

    async def test_no_checksum_to_compare(
        self, clients: AwsClients, s3: Any, artifact: ArtifactResult, expectation: ArtifactExpectation
    ) -> None:
        store(s3, expectation, checksum=False)
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
        store(s3, expectation, **change)
        assert complaint in await self.defect(clients, artifact, expectation)


async def stored_artifact(s3: Any, content: bytes) -> ArtifactResult:
    artifact = good_artifact(
        uri=f"s3://{BUCKET}/artifacts/{uuid.uuid4().hex}.tar.gz", sha256=hashlib.sha256(content).hexdigest()
    )
    put(s3, artifact, content)
    return artifact


def put(s3: Any, artifact: ArtifactResult, content: bytes) -> None:
    key = artifact.uri.removeprefix(f"s3://{BUCKET}/")
    s3.put_object(Bucket=BUCKET, Key=key, Body=content, ChecksumAlgorithm="SHA256")


async def test_an_artifact_that_was_overwritten_is_not_drawn_with(backend: Backend, s3: Any) -> None:
    artifact = await stored_artifact(s3, b"Ann")
    await backend.storage.check_artifact(make_runtime(), pinned(artifact))
    put(s3, artifact, b"Bob")

    with pytest.raises(BackendError) as caught:
        await backend.storage.check_artifact(make_runtime(), pinned(artifact))

    assert (caught.value.reason, caught.value.retryable) == ("ArtifactReplaced", False)
    assert artifact.uri in caught.value.message


async def test_an_artifact_that_is_gone_is_said_to_be(backend: Backend) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.storage.check_artifact(make_runtime(), pinned(good_artifact()))

    assert (caught.value.reason, caught.value.retryable) == ("ArtifactMissing", False)
