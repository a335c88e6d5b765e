"""An attempt works with the credentials that it was promised, with newer ones in time, and with no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avatar_api.documents.credentials import AttemptCredentials, SessionCredentials
from avatar_api.documents.training import TrainingRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import ObjectStorage, S3ObjectStorage, StorageUnavailable
from avatar_workers.training.credentials import storage_of_attempt
from builders.aws_stub import Answer, AwsStub, Call, aws_stub

RequestBuilder = Callable[..., TrainingRequest]
OWN = "testing"


def session(number: int, minutes: float) -> SessionCredentials:
    return SessionCredentials(
        access_key_id=f"ASIA{number:012}",
        secret_access_key="secret",
        session_token="token",
        expiration=datetime.now(UTC) + timedelta(minutes=minutes),
    )


class Stage:
    """An S3 that keeps an attempt's credentials and remembers with which keys it was asked."""

    def __init__(self, request: TrainingRequest) -> None:
        self.uri = f"{request.claim_uri.rpartition('/')[0]}/credentials.json"
        self.request = request.model_copy(update={"credentials_uri": self.uri})
        self.stub: AwsStub | None = None
        self.document: bytes | None = None

    def keep(self, credentials: SessionCredentials, inference_id: str = "") -> None:
        kept = AttemptCredentials(
            inference_id=inference_id or self.request.inference_id, credentials=credentials
        )
        self.document = kept.model_dump_json(by_alias=True).encode()

    def answer(self, call: Call) -> Answer:
        if not call.path.endswith("/credentials.json"):
            return Answer(200, b"content")
        if self.document is None:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return Answer(200, self.document)

    def keys_that_read_photos(self) -> list[str]:
        assert self.stub is not None
        return [call.access_key for call in self.stub.calls if call.path.endswith(".png")]

    def storage(self) -> ObjectStorage:
        return storage_of_attempt(self.request, S3ObjectStorage())


@pytest.fixture
def stage(training_request: RequestBuilder, monkeypatch: pytest.MonkeyPatch) -> Any:
    stage = Stage(training_request())
    with aws_stub(stage.answer) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
        stage.stub = stub
        yield stage


def read_photo(storage: ObjectStorage) -> None:
    storage.read("s3://photos/1.png", max_bytes=100)


def test_without_a_promise_the_containers_own_role_works(stage: Stage) -> None:
    own = S3ObjectStorage()
    assert storage_of_attempt(stage.request.model_copy(update={"credentials_uri": None}), own) is own


def test_what_was_promised_is_read_with_the_own_role_and_worked_with(stage: Stage) -> None:
    stage.keep(session(1, 60))
    storage = stage.storage()
    read_photo(storage)
    read_photo(storage)
    assert stage.stub is not None
    assert [call.access_key for call in stage.stub.calls] == [OWN, "ASIA000000000001", "ASIA000000000001"]


def test_newer_ones_are_taken_up_before_the_old_ones_end(stage: Stage) -> None:
    stage.keep(session(1, 9))
    storage = stage.storage()
    stage.keep(session(2, 60))
    read_photo(storage)
    assert stage.keys_that_read_photos() == ["ASIA000000000002"]


def test_old_ones_serve_to_their_end_if_nobody_renews_them(stage: Stage) -> None:
    stage.keep(session(1, 1))
    read_photo(stage.storage())
    assert stage.keys_that_read_photos() == ["ASIA000000000001"]


def test_with_what_has_ended_nothing_is_done_and_another_attempt_may_do_better(stage: Stage) -> None:
    stage.keep(session(1, -1))
    with pytest.raises(StorageUnavailable) as caught:
        read_photo(stage.storage())
    assert caught.value.document.retryable
    assert stage.keys_that_read_photos() == []


def test_what_was_promised_and_is_gone_was_withdrawn(stage: Stage) -> None:
    with pytest.raises(WorkerFailure, match="withdrawn") as caught:
        stage.storage()
    assert caught.value.code == "AttemptFenced"


def test_an_attempt_whose_credentials_are_withdrawn_stops(stage: Stage) -> None:
    stage.keep(session(1, 5))
    storage = stage.storage()
    stage.document = None
    with pytest.raises(WorkerFailure) as caught:
        read_photo(storage)
    assert caught.value.code == "AttemptFenced"


@pytest.mark.parametrize("document", [b"{}", b"secret" * 100_000])
def test_what_cannot_be_read_is_refused_without_being_quoted(stage: Stage, document: bytes) -> None:
    stage.document = document
    with pytest.raises(WorkerFailure) as caught:
        stage.storage()
    assert caught.value.code == "InvalidRequest"
    assert "secret" not in str(caught.value)


def test_another_attempts_are_refused(stage: Stage) -> None:
    stage.keep(session(1, 60), inference_id="avm-another")
    with pytest.raises(WorkerFailure, match="another attempt's"):
        stage.storage()
