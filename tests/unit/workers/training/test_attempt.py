"""Whole attempts on a tiny real pipeline: what comes out, and what must not."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import torch

from avatar_api.documents.artifact import ArtifactManifest
from avatar_api.documents.training import (
    TrainingClaim,
    TrainingProgressMessage,
    TrainingRequest,
    TrainingResult,
)
from avatar_workers.artifact.archive import unpack_archive
from avatar_workers.artifact.verification import VerifiedModel, verify_directory
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import S3ObjectStorage, StorageUnavailable
from avatar_workers.training import latents as latents_module
from avatar_workers.training.attempt import Trainer
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.progress import reporter_for

RequestBuilder = Callable[..., TrainingRequest]
Keys = Callable[[], list[str]]


@pytest.fixture
def trainer(base: BaseModel, storage: S3ObjectStorage, tmp_path: Path) -> Trainer:
    return Trainer(base, storage, tmp_path / "scratch", tmp_path / "class-images")


def run(request: TrainingRequest, trainer: Trainer) -> TrainingResult:
    return trainer.train(request, reporter_for(request), Cancellation())


def fetch(request: TrainingRequest, trainer: Trainer, directory: Path) -> VerifiedModel:
    directory.mkdir()
    trainer.storage.download(request.artifact.uri, directory / "archive", max_bytes=1 << 24)
    (directory / "model").mkdir()
    unpack_archive(directory / "archive", directory / "model")
    return verify_directory(directory / "model", base_sha256=trainer.base.sha256, max_rank=4)


def fingerprint(base: BaseModel) -> str:
    digest = hashlib.sha256()
    for name in ("unet", "vae", "text_encoder"):
        for key, tensor in getattr(base.pipeline, name).state_dict().items():
            digest.update(key.encode())
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def draw(base: BaseModel) -> np.ndarray[Any, Any]:
    picture = base.pipeline(
        "a photo of sks person",
        num_inference_steps=2,
        height=64,
        width=64,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    )
    return np.asarray(picture.images[0])


def test_a_training_ends_in_a_checked_artifact(
    training_request: RequestBuilder, trainer: Trainer, tmp_path: Path
) -> None:
    request = training_request()
    result = run(request, trainer)
    verified = fetch(request, trainer, tmp_path / "fetched")
    archive = (tmp_path / "fetched" / "archive").read_bytes()
    assert result.artifact.sha256 == hashlib.sha256(archive).hexdigest()
    assert result.artifact.size_bytes == len(archive)
    assert len(result.photos) == 3
    assert result.final_loss > 0
    beside = trainer.storage.read(request.artifact.manifest_uri, max_bytes=1 << 20)
    assert ArtifactManifest.model_validate_json(beside) == verified.manifest


@pytest.mark.parametrize("text_encoder", ["Freeze", "Train"])
def test_training_changes_every_adapted_layer_and_the_pictures(
    training_request: RequestBuilder, trainer: Trainer, tmp_path: Path, text_encoder: str
) -> None:
    request = training_request(text_encoder=text_encoder, steps=8)
    run(request, trainer)
    weights = fetch(request, trainer, tmp_path / "fetched").weights.tensors
    ups = {name: tensor for name, tensor in weights.items() if ".up." in name or ".lora_B." in name}
    assert all(tensor.abs().sum() > 0 for tensor in ups.values())
    assert any(name.startswith("text_encoder.") for name in ups) == (text_encoder == "Train")
    before = draw(trainer.base)
    pipeline = trainer.base.pipeline
    pipeline.load_lora_weights(tmp_path / "fetched" / "model", use_safetensors=True, local_files_only=True)
    try:
        assert np.abs(draw(trainer.base) - before).max() > 1e-3
    finally:
        pipeline.unload_lora_weights()
    assert np.array_equal(draw(trainer.base), before)


def test_the_base_is_the_same_to_the_bit_after_a_training(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    before, picture = fingerprint(trainer.base), draw(trainer.base)
    run(training_request(text_encoder="Train"), trainer)
    assert fingerprint(trainer.base) == before
    assert np.array_equal(draw(trainer.base), picture)


def test_the_base_is_the_same_after_a_training_that_failed(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    before = fingerprint(trainer.base)
    trainer = Trainer(trainer.base, StorageThatFailsOnArtifacts(), trainer.scratch, trainer.class_image_cache)
    with pytest.raises(StorageUnavailable):
        run(training_request(text_encoder="Train"), trainer)
    assert fingerprint(trainer.base) == before


def test_the_same_request_gives_the_same_weights(
    training_request: RequestBuilder, trainer: Trainer, tmp_path: Path
) -> None:
    tensors = []
    for attempt in (1, 2):
        request = training_request(attempt=attempt)
        run(request, trainer)
        tensors.append(fetch(request, trainer, tmp_path / str(attempt)).weights.tensors)
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_another_seed_gives_other_weights(
    training_request: RequestBuilder, trainer: Trainer, tmp_path: Path
) -> None:
    digests = set()
    for attempt in (1, 2):
        request = training_request(attempt=attempt, seed=attempt)
        run(request, trainer)
        digests.add(fetch(request, trainer, tmp_path / str(attempt)).manifest.files[0].sha256)
    assert len(digests) == 2


def test_learning_lowers_the_loss(training_request: RequestBuilder, trainer: Trainer) -> None:
    short = run(training_request(attempt=1, steps=2, num_class_images=0, batch_size=8), trainer)
    long = run(training_request(attempt=2, steps=60, num_class_images=0, batch_size=8), trainer)
    assert long.final_loss < short.final_loss * 0.9


def test_class_images_are_drawn_once_for_all_trainings(
    training_request: RequestBuilder, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(training_request(attempt=1), trainer)
    monkeypatch.delattr(latents_module, "_draw")
    run(training_request(attempt=2), trainer)
    assert len(list(trainer.class_image_cache.iterdir())) == 1


def test_a_damaged_cache_of_class_images_is_drawn_again(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    run(training_request(attempt=1), trainer)
    (kept,) = trainer.class_image_cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:100])
    run(training_request(attempt=2), trainer)
    assert kept.read_bytes() == whole


def test_the_cache_of_class_images_is_bounded(
    training_request: RequestBuilder, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latents_module, "MAX_CACHED_SETS", 1)
    run(training_request(attempt=1, num_class_images=1), trainer)
    run(training_request(attempt=2, num_class_images=2), trainer)
    assert len(list(trainer.class_image_cache.iterdir())) == 1


def test_the_claim_is_written_before_anything_is_read(
    training_request: RequestBuilder, trainer: Trainer, s3: Any, bucket: str, keys: Keys
) -> None:
    request = training_request()
    for photo in request.photos:
        s3.delete_object(Bucket=bucket, Key=photo.uri.removeprefix(f"s3://{bucket}/"))
    with pytest.raises(WorkerFailure) as caught:
        run(request, trainer)
    assert caught.value.code == "TooFewUsablePhotos"
    assert keys() == ["requests/1/claim.json"]
    claim = TrainingClaim.model_validate_json(trainer.storage.read(request.claim_uri, max_bytes=1000))
    assert (claim.holder, claim.inference_id) == ("Worker", request.inference_id)


def test_a_fenced_attempt_does_nothing(
    training_request: RequestBuilder, trainer: Trainer, keys: Keys, queue_url: str
) -> None:
    request = training_request(queue_url=queue_url)
    trainer.storage.create(request.claim_uri, b"{}", content_type="application/json")
    before = keys()
    with pytest.raises(WorkerFailure) as caught:
        run(request, trainer)
    assert (caught.value.code, caught.value.http_status) == ("AttemptFenced", 409)
    assert keys() == before
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=queue_url)


def test_two_workers_with_the_same_attempt_train_it_once(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    request = training_request()
    run(request, trainer)
    with pytest.raises(WorkerFailure, match="nothing was done"):
        run(request, trainer)


def test_a_request_for_another_base_is_refused_before_the_claim(
    training_request: RequestBuilder, trainer: Trainer, keys: Keys
) -> None:
    request = training_request()
    other = request.base_model.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(WorkerFailure) as caught:
        run(request.model_copy(update={"base_model": other}), trainer)
    assert (caught.value.code, caught.value.http_status) == ("BaseModelMismatch", 422)
    assert request.claim_uri.rsplit("/", 1)[-1] not in "".join(keys())


def test_too_many_photos_are_refused(training_request: RequestBuilder, trainer: Trainer) -> None:
    request = training_request()
    policy = request.photo_policy.model_copy(update={"max_count": 2})
    with pytest.raises(WorkerFailure, match="3 are given, at most 2"):
        run(request.model_copy(update={"photo_policy": policy}), trainer)


def test_a_training_that_diverges_leaves_no_artifact(
    training_request: RequestBuilder, trainer: Trainer, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = training_request()
    monkeypatch.setattr(
        latents_module.PhotoLatents, "sample", lambda self, i, g: torch.full((len(i), 4, 8, 8), torch.nan)
    )
    with pytest.raises(WorkerFailure, match="diverged at step 1") as caught:
        run(request, trainer)
    assert (caught.value.code, caught.value.document.retryable) == ("TrainingDiverged", False)
    assert not [key for key in keys() if key.startswith("artifacts/")]


class StorageThatFailsOnArtifacts(S3ObjectStorage):
    """Stands in for an S3 that goes away during the upload."""

    def create(self, uri: str, content: bytes | Path, **rest: Any) -> None:
        if "/artifacts/" in uri:
            raise StorageUnavailable(uri, "gone")
        super().create(uri, content, **rest)


def test_a_failed_upload_leaves_no_artifact_and_no_scratch(
    training_request: RequestBuilder, trainer: Trainer, keys: Keys
) -> None:
    broken = Trainer(trainer.base, StorageThatFailsOnArtifacts(), trainer.scratch, trainer.class_image_cache)
    with pytest.raises(StorageUnavailable) as caught:
        run(training_request(), broken)
    assert caught.value.document.retryable
    assert not [key for key in keys() if key.startswith("artifacts/")]
    assert list(trainer.scratch.iterdir()) == []


def test_an_artifact_that_is_there_is_never_overwritten(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    request = training_request()
    trainer.storage.create(request.artifact.uri, b"earlier", content_type="application/gzip")
    with pytest.raises(WorkerFailure) as caught:
        run(request, trainer)
    assert caught.value.code == "AttemptFenced"
    assert trainer.storage.read(request.artifact.uri, max_bytes=100) == b"earlier"


def test_a_cancelled_training_stops_at_its_next_step_and_can_be_retried(
    training_request: RequestBuilder, trainer: Trainer, queue_url: str, keys: Keys
) -> None:
    request = training_request(steps=20000, queue_url=queue_url)
    cancellation = Cancellation()
    failures: list[WorkerFailure] = []

    def training() -> None:
        try:
            trainer.train(request, reporter_for(request), cancellation)
        except WorkerFailure as failure:
            failures.append(failure)

    thread = threading.Thread(target=training)
    thread.start()
    sqs = boto3.client("sqs")
    stages: set[str] = set()
    while "Training" not in stages and thread.is_alive():
        received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            stages.add(TrainingProgressMessage.model_validate_json(message["Body"]).stage)
    cancellation.cancel()
    thread.join(timeout=60)
    assert [failure.code for failure in failures] == ["WorkerUnavailable"]
    assert failures[0].document.retryable
    assert not [key for key in keys() if key.startswith("artifacts/")]


def test_progress_tells_every_stage_in_order(
    training_request: RequestBuilder, trainer: Trainer, queue_url: str
) -> None:
    run(training_request(queue_url=queue_url), trainer)
    sqs = boto3.client("sqs")
    told: list[TrainingProgressMessage] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        told += [TrainingProgressMessage.model_validate_json(message["Body"]) for message in messages]
    told.sort(key=lambda message: message.sequence)
    steps = [(message.stage, message.step, message.total_steps) for message in told]
    assert steps[0] == ("Preparing", 0, 5)
    assert ("Preparing", 5, 5) in steps
    assert steps[-2:] == [("Training", 3, 3), ("Packaging", 0, 0)]


def test_a_dead_progress_queue_does_not_fail_the_training(
    training_request: RequestBuilder, trainer: Trainer
) -> None:
    result = run(training_request(queue_url="http://127.0.0.1:1/0/none"), trainer)
    assert result.artifact.size_bytes > 0
