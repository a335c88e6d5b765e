"""What a photo finds that has taken over the process which opens it, and what comes of photos that break it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from avatar_workers.errors import WorkerFailure
from avatar_workers.training.preparation.decoder_limits import CPU_SECONDS
from avatar_workers.training.preparation.decoding import PhotoRejected
from avatar_workers.training.preparation.landlock import landlock_version
from avatar_workers.training.preparation.photo_decoder import PhotoDecoder

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "the worker's key",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "where the worker's credentials are asked for",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "with what",
    "HF_TOKEN": "somebody's token",
}
TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def worker_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has credentials, and in which the decoders of these tests are found."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def taken_over() -> Iterator[PhotoDecoder]:
    """A decoder that does what photos say."""
    with PhotoDecoder(lambda: None, program="security.curious_decoder", seconds=20) as decoder:
        yield decoder


def got(decoder: PhotoDecoder, attempt: str) -> object:
    with pytest.raises(PhotoRejected) as verdict:
        decoder.decode(attempt.encode())
    return json.loads(str(verdict.value))


def children() -> set[int]:
    listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for file in listed for pid in file.read_text().split()}


def test_the_decoder_is_started_without_any_secret_of_the_worker() -> None:
    before = children()
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    with PhotoDecoder(lambda: None) as decoder:
        assert decoder.decode(buffer.getvalue()).getpixel((4, 4)) == (255, 0, 0)
        (child,) = children() - before
        environment = Path(f"/proc/{child}/environ").read_bytes()
    assert b"PYTHONPATH=" in environment
    assert [name for name in SECRETS if name.encode() in environment] == []


def test_a_photo_that_takes_the_decoder_over_finds_no_environment(taken_over: PhotoDecoder) -> None:
    assert got(taken_over, "environment") == {}


def test_it_holds_its_two_pipes_and_no_file_of_the_worker(taken_over: PhotoDecoder, tmp_path: Path) -> None:
    with (tmp_path / "photo of somebody else").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        assert got(taken_over, "open files") == [0, 1, 2]


@pytest.mark.parametrize("attempt", ["parent", "connect", "start"])
def test_it_opens_no_file_of_its_worker_no_socket_and_no_process(
    taken_over: PhotoDecoder, attempt: str
) -> None:
    assert got(taken_over, attempt) in ("OSError", "BlockingIOError", "PermissionError")


@pytest.fixture(scope="module")
def worker_without_rank() -> dict[str, object]:
    """What a decoder reaches of a worker whose user it has."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("AVATAR_")}
    ran = subprocess.run(
        [sys.executable, "-m", "security.worker_without_rank"],
        env={**settings, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        check=True,
    )
    reached: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return reached


def test_it_cannot_read_the_memory_of_its_worker_although_both_have_the_same_user(
    worker_without_rank: dict[str, object],
) -> None:
    assert worker_without_rank["memory"] == "PermissionError"


def test_no_other_process_of_the_workers_user_reads_its_memory(
    worker_without_rank: dict[str, object],
) -> None:
    assert worker_without_rank["memory of a neighbour"] == "PermissionError"


def test_it_removes_no_file_and_signals_no_process_where_the_kernel_has_landlock(
    worker_without_rank: dict[str, object],
) -> None:
    version = landlock_version()
    assert worker_without_rank["remove"] == ("PermissionError" if version >= 1 else None)
    assert worker_without_rank["signal"] == ("PermissionError" if version >= 6 else None)


@pytest.mark.parametrize("attempt", ["die", "lie"])
def test_a_photo_that_kills_the_decoder_is_refused_and_the_next_one_gets_a_new_decoder(
    taken_over: PhotoDecoder, attempt: str
) -> None:
    with pytest.raises(PhotoRejected, match="makes the decoder fail") as verdict:
        taken_over.decode(attempt.encode())
    assert verdict.value.rejection == "Unreadable"
    assert got(taken_over, "environment") == {}


def test_a_photo_that_leaves_the_decoder_broken_harms_no_other_one(taken_over: PhotoDecoder) -> None:
    assert got(taken_over, "break") is None
    assert got(taken_over, "environment") == {}


def test_a_photo_that_uses_up_the_processors_time_takes_none_of_the_next_ones(
    taken_over: PhotoDecoder,
) -> None:
    assert got(taken_over, "spend") is None
    assert got(taken_over, "work") is None


def test_a_decoder_has_the_processors_time_of_one_photo(taken_over: PhotoDecoder) -> None:
    left = got(taken_over, "processor's time")
    assert isinstance(left, float)
    assert CPU_SECONDS - 1 < left <= CPU_SECONDS + 1


def test_a_photo_that_takes_too_much_of_a_processor_is_refused_and_told_so(taken_over: PhotoDecoder) -> None:
    with pytest.raises(PhotoRejected, match="takes more than 10 s of a processor to decode") as verdict:
        taken_over.decode(b"burn")
    assert verdict.value.rejection == "Unreadable"


@pytest.mark.parametrize("attempt", ["hang", "drip"])
def test_a_photo_that_holds_the_decoder_up_is_refused(attempt: str) -> None:
    before = children()
    with PhotoDecoder(lambda: None, program="security.curious_decoder", seconds=1) as decoder:
        with pytest.raises(PhotoRejected, match="cannot be decoded within 1 s"):
            decoder.decode(attempt.encode())
        assert children() == before


def test_a_training_that_is_not_wanted_any_more_does_not_wait_for_a_photo() -> None:
    before, began = children(), time.monotonic()

    def cancelled() -> None:
        raise WorkerFailure("WorkerUnavailable", "the training was stopped")

    with (
        PhotoDecoder(cancelled, program="security.curious_decoder", seconds=600) as decoder,
        pytest.raises(WorkerFailure, match="the training was stopped"),
    ):
        decoder.decode(b"hang")
    assert time.monotonic() - began < 60
    assert children() == before


def test_a_decoder_that_cannot_be_started_is_no_verdict_on_a_photo() -> None:
    with (
        PhotoDecoder(lambda: None, program="security.there_is_none") as decoder,
        pytest.raises(WorkerFailure) as failure,
    ):
        decoder.decode(b"a photo")
    assert failure.value.code == "InternalError"
