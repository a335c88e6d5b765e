"""An attempt is ours until the operator takes it away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from avatar_api.documents.training import Stage, TrainingClaim, TrainingRequest
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import S3ObjectStorage, StorageDenied, StorageUnavailable
from avatar_workers.training.attempt import Trainer
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.claim import CHECK_SECONDS, Claim, claim_attempt
from avatar_workers.training.progress import ProgressReporter, SilentProgressQueue, reporter_for

RequestBuilder = Callable[..., TrainingRequest]


class ReporterThatDeletesTheModel(ProgressReporter):
    """Stands in for an operator that takes the claim away as soon as a stage begins."""

    def __init__(self, request: TrainingRequest, take_away: Callable[[], None], at: Stage) -> None:
        super().__init__(request.inference_id, request.model, SilentProgressQueue(), interval_seconds=0)
        self._take_away = take_away
        self._at = at

    def report(self, stage: Stage, step: int = 0, total_steps: int = 0) -> None:
        if stage == self._at:
            self._take_away()


def overwrite(s3: Any, request: TrainingRequest) -> None:
    bucket, _, key = request.claim_uri.removeprefix("s3://").partition("/")
    claim = TrainingClaim(inference_id=request.inference_id, holder="Operator", time=datetime.now(UTC))
    s3.put_object(Bucket=bucket, Key=key, Body=claim.model_dump_json(by_alias=True).encode())


def remove(s3: Any, request: TrainingRequest) -> None:
    bucket, _, key = request.claim_uri.removeprefix("s3://").partition("/")
    s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize("take_away", [overwrite, remove])
def test_an_attempt_that_was_given_up_while_it_ran_uploads_nothing(
    take_away: Callable[[Any, TrainingRequest], None],
    training_request: RequestBuilder,
    base: BaseModel,
    storage: S3ObjectStorage,
    s3: Any,
    keys: Callable[[], list[str]],
    tmp_path: Path,
) -> None:
    request = training_request()
    trainer = Trainer(base, storage, tmp_path / "scratch", tmp_path / "class-images")
    reporter = ReporterThatDeletesTheModel(request, lambda: take_away(s3, request), at="Packaging")
    with pytest.raises(WorkerFailure, match="given up by the operator; it leaves nothing behind") as caught:
        trainer.train(request, reporter, Cancellation())
    assert caught.value.code == "AttemptFenced"
    assert not [key for key in keys() if key.startswith("artifacts/")]


def test_a_long_training_looks_at_its_claim_now_and_then(
    training_request: RequestBuilder, storage: S3ObjectStorage, s3: Any
) -> None:
    request = training_request()
    claim_attempt(request, storage)
    now = 0.0
    claim = Claim(request, storage, clock=lambda: now)
    overwrite(s3, request)
    claim.check()
    now = CHECK_SECONDS
    with pytest.raises(WorkerFailure, match="given up"):
        claim.check()


def test_storage_that_is_away_for_a_moment_does_not_stop_a_training(training_request: RequestBuilder) -> None:
    class StorageThatIsAway(S3ObjectStorage):
        def read(self, uri: str, **_: Any) -> bytes:
            raise StorageUnavailable(uri, "connection refused")

    now = 0.0
    claim = Claim(training_request(), StorageThatIsAway(), clock=lambda: now)
    now = CHECK_SECONDS
    claim.check()
    with pytest.raises(StorageUnavailable):
        claim.confirm()


def test_a_claim_that_may_not_be_read_any_more_is_gone(training_request: RequestBuilder) -> None:
    class StorageThatMayNotBeListed(S3ObjectStorage):
        def read(self, uri: str, **_: Any) -> bytes:
            raise StorageDenied(uri, "AccessDenied")

    with pytest.raises(WorkerFailure, match="given up") as caught:
        Claim(training_request(), StorageThatMayNotBeListed()).confirm()
    assert caught.value.code == "AttemptFenced"


class StorageWhoseOperatorComesMeanwhile(S3ObjectStorage):
    """Stands in for an operator that deletes the model while its artifact is being uploaded."""

    def __init__(self, take_away: Callable[[], None], ending: str) -> None:
        super().__init__()
        self._take_away = take_away
        self._ending = ending

    def create(self, uri: str, content: bytes | Path, **rest: Any) -> None:
        super().create(uri, content, **rest)
        if "/artifacts/" in uri and uri.endswith(self._ending):
            self._take_away()


@pytest.mark.parametrize("ending", [".tar.gz", ".json"])
@pytest.mark.parametrize("take_away", [overwrite, remove])
def test_an_artifact_of_an_attempt_that_was_given_up_during_its_upload_is_taken_back(
    take_away: Callable[[Any, TrainingRequest], None],
    ending: str,
    training_request: RequestBuilder,
    base: BaseModel,
    s3: Any,
    bucket: str,
    tmp_path: Path,
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    request = training_request()
    storage = StorageWhoseOperatorComesMeanwhile(lambda: take_away(s3, request), ending)
    trainer = Trainer(base, storage, tmp_path / "scratch", tmp_path / "class-images")
    with pytest.raises(WorkerFailure, match="it leaves nothing behind") as caught:
        trainer.train(request, reporter_for(request), Cancellation())
    assert caught.value.code == "AttemptFenced"
    left = s3.list_object_versions(Bucket=bucket, Prefix="artifacts/")
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])
