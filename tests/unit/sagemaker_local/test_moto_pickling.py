"""A backend comes back as it was, and each content is written once."""

from __future__ import annotations

from pathlib import Path

from moto.s3.models import S3Backend, s3_backends
from moto.sqs.models import SQSBackend

from sagemaker_local.persistence.moto_pickling import dump_backend, load_backend


def backend_with(*objects: tuple[str, bytes]) -> S3Backend:
    backend = S3Backend("aws", "123456789012")
    # moto remembers the names of all buckets, whoever's they are; a name is free again for each of these tests.
    s3_backends.bucket_accounts.clear()
    backend.create_bucket("bucket", "us-east-1")
    backend.put_bucket_versioning("bucket", "Enabled")
    for key, value in objects:
        backend.put_object("bucket", key, value)
    return backend


def test_all_versions_of_an_object_come_back(tmp_path: Path) -> None:
    data, _ = dump_backend(backend_with(("k", b"old"), ("k", b"new")), tmp_path)
    versions = load_backend(data, tmp_path).buckets["bucket"].keys.getlist("k")
    assert [version.value for version in versions] == [b"old", b"new"]


def test_a_backend_that_came_back_can_be_written_to(tmp_path: Path) -> None:
    restored = load_backend(dump_backend(backend_with(("k", b"old")), tmp_path)[0], tmp_path)
    restored.put_object("bucket", "k", b"new")
    assert restored.get_object("bucket", "k").value == b"new"


def test_contents_are_kept_apart_and_once(tmp_path: Path) -> None:
    data, used = dump_backend(backend_with(("a", b"x" * 100_000), ("b", b"x" * 100_000)), tmp_path)
    assert len(data) < 50_000
    assert {path.name for path in tmp_path.iterdir()} == used
    assert len(used) == 1


def test_a_content_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    backend = backend_with(("k", b"x"))
    (content,) = (tmp_path / digest for digest in dump_backend(backend, tmp_path)[1])
    before = content.stat().st_mtime_ns
    dump_backend(backend, tmp_path)
    assert content.stat().st_mtime_ns == before


def test_messages_come_back_with_their_ids(tmp_path: Path) -> None:
    backend = SQSBackend("us-east-1", "123456789012")
    backend.create_queue("q")
    sent = backend.send_message("q", "hello")
    (found,) = load_backend(dump_backend(backend, tmp_path)[0], tmp_path).queues["q"].messages
    assert (found.id, found.body) == (sent.id, "hello")
