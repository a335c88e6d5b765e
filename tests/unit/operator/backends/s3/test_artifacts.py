"""Whether a stored artifact is what the worker says it is."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import ArtifactFile, ArtifactManifest
from avatar_api.documents.training import ArtifactDestination, ArtifactResult
from avatar_operator.backends.attempts import (
    ArtifactFindings,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
)
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backend
from builders.backend_objects import (
    BUCKET,
    NOW,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    make_training_request,
    pinned,
    submit,
)

WEIGHTS_SHA256 = "e" * 64


def artifact_of(attempt: AttemptReference, **changes: Any) -> ArtifactResult:
    """What a worker says that stored `weights` where it was told."""
    artifact = ArtifactResult(
        uri=attempt.locations.artifact,
        manifest_uri=attempt.locations.manifest,
        target_model=attempt.locations.target_model,
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
    findings = await backend.storage.examine_artifact(runtime, attempt, outcome.result.artifact)
    assert "bytes, the worker says" in findings.defect


@pytest.mark.parametrize("member", ["uri", "manifest_uri", "target_model"])
async def test_an_artifact_elsewhere_than_told_has_a_defect(backend: Backend, member: str) -> None:
    attempt = make_attempt(make_model())
    elsewhere = artifact_of(attempt, **{member: f"s3://{BUCKET}/artifacts/team-b/1/r1-a1.tar.gz"})
    findings = await backend.storage.examine_artifact(make_runtime(), attempt, elsewhere)
    assert "but was told" in findings.defect


async def test_a_request_document_that_was_rewritten_moves_no_artifact(backend: Backend, s3: Any) -> None:
    mine, victims = make_attempt(make_model()), make_attempt(make_model())
    store(s3, victims)
    forged = make_training_request(make_runtime(), make_model(), mine).model_copy(
        update={"artifact": ArtifactDestination.model_validate(_destination(victims))}
    )
    await backend.storage.write_request(make_runtime(), mine, forged)

    claimed = artifact_of(victims)
    findings = await backend.storage.examine_artifact(make_runtime(), mine, claimed)

    assert findings.defect == f"the worker names another artifact, but was told {mine.locations.artifact}"
    assert findings.said.mention(victims.locations.artifact)


def _destination(attempt: AttemptReference) -> dict[str, str]:
    locations = attempt.locations
    return {
        "uri": locations.artifact,
        "manifestUri": locations.manifest,
        "targetModel": locations.target_model,
    }


async def test_the_base_that_counts_is_the_one_that_was_asked_for(backend: Backend, s3: Any) -> None:
    model = make_model()
    attempt = make_attempt(model)
    await backend.storage.write_request(
        make_runtime(), attempt, make_training_request(make_runtime(), model, attempt)
    )
    store(s3, attempt)
    runtime = with_base(make_runtime(), "c" * 64)
    findings = await backend.storage.examine_artifact(runtime, attempt, artifact_of(attempt))
    assert findings == ArtifactFindings(weights_sha256=WEIGHTS_SHA256)
    await backend.storage.revoke_claim(runtime, attempt)
    findings = await backend.storage.examine_artifact(runtime, attempt, artifact_of(attempt))
    assert "not on cccc" in findings.defect


@pytest.mark.parametrize("document", [b"{}", b" " * (2 << 20)], ids=["is none", "is too large"])
async def test_a_request_document_that_cannot_be_read_leaves_the_base_of_the_runtime(
    backend: Backend, s3: Any, document: bytes
) -> None:
    attempt = make_attempt(make_model())
    store(s3, attempt)
    s3.put_object(Bucket=BUCKET, Key=_key(attempt.locations.request), Body=document)
    findings = await backend.storage.examine_artifact(make_runtime(), attempt, artifact_of(attempt))
    assert findings.defect == ""


def with_base(runtime: AvatarRuntime, sha256: str) -> AvatarRuntime:
    base = runtime.spec.base_model.model_copy(update={"sha256": sha256})
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update={"base_model": base})})


def store(
    s3: Any, attempt: AttemptReference, *, body: bytes = b"weights", checksum: bool = True, **manifest: Any
) -> None:
    """Put an artifact and its manifest where they belong; keyword arguments replace members of the manifest."""
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    s3.put_object(
        Bucket=BUCKET,
        Key=_key(attempt.locations.artifact),
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
        inference_id=attempt.inference_id,
        base_model=request.base_model,
        subject=request.subject,
        training=request.training,
        photo_count=10,
        files=[WEIGHTS],
        created_at=NOW,
        worker_version="test",
    ).to_wire()
    s3.put_object(
        Bucket=BUCKET,
        Key=_key(attempt.locations.manifest),
        Body=json.dumps({**document, **manifest}).encode(),
    )


WEIGHTS = ArtifactFile(path="pytorch_lora_weights.safetensors", sha256=WEIGHTS_SHA256, size_bytes=1)


def _key(uri: str) -> str:
    return uri.removeprefix(f"s3://{BUCKET}/")


class TestArtifactDefects:
    """Each way in which a stored artifact can differ from the worker's word."""

    @pytest.fixture
    def attempt(self) -> AttemptReference:
        return make_attempt(make_model())

    async def findings(self, backend: Backend, attempt: AttemptReference) -> ArtifactFindings:
        return await backend.storage.examine_artifact(make_runtime(), attempt, artifact_of(attempt))

    async def test_a_sound_artifact_has_none_and_its_weights_are_known(
        self, backend: Backend, s3: Any, attempt: AttemptReference
    ) -> None:
        store(s3, attempt)
        assert await self.findings(backend, attempt) == ArtifactFindings(weights_sha256=WEIGHTS_SHA256)

    async def test_nothing_stored(self, backend: Backend, attempt: AttemptReference) -> None:
        assert (await self.findings(backend, attempt)).defect == f"{attempt.locations.artifact} is not there"

    async def test_other_content_of_the_same_size(
        self, backend: Backend, s3: Any, attempt: AttemptReference
    ) -> None:
        store(s3, attempt, body=b"weightz")
        assert "has SHA-256" in (await self.findings(backend, attempt)).defect

    async def test_no_checksum_to_compare(self, backend: Backend, s3: Any, attempt: AttemptReference) -> None:
        store(s3, attempt, checksum=False)
        assert "without a SHA-256 checksum" in (await self.findings(backend, attempt)).defect

    async def test_no_manifest(self, backend: Backend, s3: Any, attempt: AttemptReference) -> None:
        store(s3, attempt)
        s3.delete_object(Bucket=BUCKET, Key=_key(attempt.locations.manifest))
        assert (await self.findings(backend, attempt)).defect == f"{attempt.locations.manifest} is not there"

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"inferenceId": "avm-other"}, "the manifest is that of another attempt"),
            ({"revision": 2}, "the manifest is that of another attempt"),
            (
                {"baseModel": {"source": f"s3://{BUCKET}/base/", "revision": "main", "sha256": "c" * 64}},
                "was trained on base cccc",
            ),
            (
                {"files": [{**WEIGHTS.to_wire(), "path": "weights.bin"}]},
                "lists pytorch_lora_weights.safetensors 0 times",
            ),
            (
                {"files": [WEIGHTS.to_wire(), {**WEIGHTS.to_wire(), "sha256": "f" * 64}]},
                "lists pytorch_lora_weights.safetensors 2 times",
            ),
            ({"files": []}, "is no manifest"),
            ({"workerVersion": "x" * (2 << 20)}, "is no manifest"),
        ],
    )
    async def test_a_manifest_that_does_not_fit(
        self,
        backend: Backend,
        s3: Any,
        attempt: AttemptReference,
        change: dict[str, Any],
        complaint: str,
    ) -> None:
        store(s3, attempt, **change)
        findings = await self.findings(backend, attempt)
        assert complaint in findings.defect
        assert findings.weights_sha256 is None


async def test_an_artifact_that_was_overwritten_is_not_drawn_with(backend: Backend, s3: Any) -> None:
    attempt = make_attempt(make_model())
    artifact = artifact_of(attempt)
    store(s3, attempt)
    await backend.storage.check_artifact(make_runtime(), pinned(artifact))
    store(s3, attempt, body=b"another person")

    with pytest.raises(BackendError) as caught:
        await backend.storage.check_artifact(make_runtime(), pinned(artifact))

    assert (caught.value.reason, caught.value.retryable) == ("ArtifactReplaced", False)
    assert artifact.uri in caught.value.message


async def test_an_artifact_that_is_gone_is_said_to_be(backend: Backend) -> None:
    artifact = artifact_of(make_attempt(make_model()))
    with pytest.raises(BackendError) as caught:
        await backend.storage.check_artifact(make_runtime(), pinned(artifact))

    assert (caught.value.reason, caught.value.retryable) == ("ArtifactMissing", False)
