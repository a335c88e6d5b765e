"""The container's HTTP interface: ready when the base is, one training at a time, every failure a document."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from avatar_api.documents.errors import WorkerError
from avatar_api.documents.training import TrainingRequest, TrainingResult
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.storage import S3ObjectStorage
from avatar_workers.training.attempt import Trainer
from avatar_workers.training.container import Train, TrainingContainer
from avatar_workers.training.progress import ProgressReporter, SilentProgressQueue

RequestBuilder = Callable[..., TrainingRequest]
DEADLINE_SECONDS = 60


class Gate:
    """Holds whoever passes it until it is opened, and tells that somebody has come."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def pass_through(self) -> None:
        self.reached.set()
        assert self.opened.wait(DEADLINE_SECONDS)


@pytest.fixture
def trainer(base: BaseModel, storage: S3ObjectStorage, tmp_path: Path) -> Trainer:
    return Trainer(base, storage, tmp_path / "scratch", tmp_path / "class-images")


def until_ready(client: TestClient | httpx.Client) -> None:
    for _ in range(10_000):
        if client.get("/ping").status_code == 200:
            return
    raise AssertionError("the container never became ready")


@pytest.fixture
def client(trainer: Trainer) -> Iterator[TestClient]:
    container = TrainingContainer(lambda: trainer.train, lambda failure: None)
    with TestClient(container.app(), raise_server_exceptions=False) as client:
        until_ready(client)
        yield client


def test_ping_says_why_it_is_not_ready_and_then_is(trainer: Trainer) -> None:
    gate = Gate()

    def open_trainer() -> Train:
        gate.pass_through()
        return trainer.train

    with TestClient(TrainingContainer(open_trainer, lambda failure: None).app()) as client:
        answer = client.get("/ping")
        assert (answer.status_code, answer.json()["code"]) == (503, "WorkerUnavailable")
        assert "being loaded" in answer.json()["message"]
        gate.opened.set()
        until_ready(client)


def test_a_base_that_cannot_be_loaded_is_told_on_ping_and_to_the_process() -> None:
    failures: list[BaseException] = []
    told = threading.Event()

    def open_trainer() -> Train:
        raise OSError("disk full")

    def give_up(failure: BaseException) -> None:
        failures.append(failure)
        told.set()

    with TestClient(TrainingContainer(open_trainer, give_up).app()) as client:
        assert told.wait(DEADLINE_SECONDS)
        assert "disk full" in client.get("/ping").json()["message"]
    assert [str(failure) for failure in failures] == ["disk full"]


def test_an_invocation_trains(client: TestClient, training_request: RequestBuilder) -> None:
    request = training_request()
    answer = client.post("/invocations", json=request.to_wire())
    assert answer.status_code == 200
    assert TrainingResult.model_validate(answer.json()).artifact.uri == request.artifact.uri


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "body"),
        (b"{}", "inferenceId"),
        (b'{"schemaVersion": "avatars.dev/training-request/v9"}', "schemaVersion"),
    ],
)
def test_a_document_that_is_not_understood_is_a_400_that_names_the_field(
    client: TestClient, body: bytes, named: str
) -> None:
    answer = client.post("/invocations", content=body)
    error = WorkerError.model_validate(answer.json())
    assert (answer.status_code, error.code, error.retryable) == (400, "InvalidRequest", False)
    assert named in error.message


def test_bad_photos_are_a_422_with_a_verdict_on_each(
    client: TestClient, training_request: RequestBuilder
) -> None:
    answer = client.post("/invocations", json=training_request([b"no", b"photo"]).to_wire())
    error = WorkerError.model_validate(answer.json())
    assert (answer.status_code, error.code) == (422, "TooFewUsablePhotos")
    assert [verdict.rejection for verdict in error.photos or []] == ["UnsupportedFormat"] * 2


def test_a_fenced_attempt_is_a_409(
    client: TestClient, training_request: RequestBuilder, storage: S3ObjectStorage
) -> None:
    request = training_request()
    storage.create(request.claim_uri, b"{}", content_type="application/json")
    answer = client.post("/invocations", json=request.to_wire())
    assert (answer.status_code, answer.json()["code"]) == (409, "AttemptFenced")


class ReporterWithGate(ProgressReporter):
    """Stops the training at its first report."""

    def __init__(self, request: TrainingRequest, gate: Gate) -> None:
        super().__init__(request.inference_id, request.model, SilentProgressQueue(), interval_seconds=0)
        self._gate = gate

    def report(self, stage: object, step: int = 0, total_steps: int = 0) -> None:
        self._gate.pass_through()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated_container(trainer: Trainer, gate: Gate) -> TrainingContainer:
    return TrainingContainer(lambda: trainer.train, lambda failure: None, lambda r: ReporterWithGate(r, gate))


class Posting(threading.Thread):
    """Posts a request in a thread of its own."""

    def __init__(self, client: TestClient, request: TrainingRequest) -> None:
        super().__init__()
        self._client, self._request = client, request
        self.status = 0
        self.body: dict[str, object] = {}
        self.start()

    def run(self) -> None:
        answer = self._client.post("/invocations", json=self._request.to_wire())
        self.status, self.body = answer.status_code, answer.json()


def test_while_a_training_runs_ping_answers_and_a_second_one_is_put_off_unclaimed(
    gated_container: TrainingContainer,
    gate: Gate,
    training_request: RequestBuilder,
    keys: Callable[[], list[str]],
) -> None:
    with TestClient(gated_container.app()) as client:
        until_ready(client)
        first = Posting(client, training_request(attempt=1))
        assert gate.reached.wait(DEADLINE_SECONDS)
        assert client.get("/ping").status_code == 200
        second = client.post("/invocations", json=training_request(attempt=2).to_wire())
        assert (second.status_code, second.json()["code"]) == (503, "WorkerUnavailable")
        assert second.json()["retryable"]
        assert "requests/2/claim.json" not in keys()
        gate.opened.set()
        first.join(DEADLINE_SECONDS)
        assert first.status == 200
        third = client.post("/invocations", json=training_request(attempt=3).to_wire())
        assert third.status_code == 200


def test_a_stop_ends_the_training_that_runs_and_refuses_new_ones(
    gated_container: TrainingContainer,
    gate: Gate,
    training_request: RequestBuilder,
    keys: Callable[[], list[str]],
) -> None:
    with TestClient(gated_container.app()) as client:
        until_ready(client)
        posting = Posting(client, training_request())
        assert gate.reached.wait(DEADLINE_SECONDS)
        gated_container.stop()
        gate.opened.set()
        posting.join(DEADLINE_SECONDS)
        assert (posting.status, posting.body["code"]) == (503, "WorkerUnavailable")
        assert client.get("/ping").status_code == 503
        assert client.post("/invocations", json=training_request(attempt=2).to_wire()).status_code == 503
    assert not [key for key in keys() if key.startswith("artifacts/")]


@pytest.fixture
def address(gated_container: TrainingContainer) -> Iterator[tuple[str, int]]:
    """The container behind a real server: the test client cannot hang up."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(gated_container.app(), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(DEADLINE_SECONDS)


def test_a_caller_that_hangs_up_stops_the_training(
    address: tuple[str, int],
    gate: Gate,
    training_request: RequestBuilder,
    keys: Callable[[], list[str]],
) -> None:
    url = f"http://{address[0]}:{address[1]}"
    with httpx.Client(base_url=url, timeout=DEADLINE_SECONDS) as client:
        until_ready(client)
        body = training_request(attempt=1, steps=20000).model_dump_json(by_alias=True).encode()
        with socket.create_connection(address) as connection:
            connection.sendall(
                b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            connection.sendall(body)
            assert gate.reached.wait(DEADLINE_SECONDS)
        gate.opened.set()
        second = training_request(attempt=2).to_wire()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (answer := client.post("/invocations", json=second)).status_code == 503:
            assert time.monotonic() < deadline
        assert answer.status_code == 200
    assert not [key for key in keys() if key.startswith("artifacts/1/")]
