"""Whose data lies below a runtime's prefixes, in a bucket that holds other things too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.aws import s3_objects, s3_uploads
from avatar_operator.backends.census import Census
from avatar_operator.backends.s3 import owners as s3_owners
from avatar_operator.backends.selection import Backend
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import OwnedDirectory, runtime_storage
from avatar_operator.names import inference_id
from builders.backend_objects import make_runtime

MODEL = "11111111-2222-3333-4444-555555555555"
REQUEST = "66666666-7777-8888-9999-000000000000"
ATTEMPT = inference_id(MODEL, 1, 1)


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    """A bucket of the test's own: owners are counted in all of it."""
    bucket = f"owners-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    yield bucket


@pytest.fixture
def put(s3: Any, bucket: str) -> Callable[[str], None]:
    return lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"x")


@pytest.fixture
def upload(s3: Any, bucket: str) -> Callable[[str], None]:
    def begin(key: str) -> None:
        started = s3.create_multipart_upload(Bucket=bucket, Key=key)
        s3.upload_part(Bucket=bucket, Key=key, UploadId=started["UploadId"], PartNumber=1, Body=b"a part")

    return begin


def runtime_on(bucket: str, **storage: str) -> AvatarRuntime:
    runtime = make_runtime()
    prefixes = {part: f"s3://{bucket}/{part}/" for part in ("requests", "artifacts", "outputs")}
    moved = runtime.spec.storage.model_copy(update={**prefixes, **storage})
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update={"storage": moved})})


def counted(owners: list[StoredOwner]) -> dict[str, tuple[str, str, int]]:
    return {owner.location: (owner.uid, owner.kind, owner.objects) for owner in owners}


async def test_every_directory_of_every_owner_is_found_and_nothing_else(
    backend: Backend, bucket: str, put: Callable[[str], None]
) -> None:
    for key in (
        f"requests/team-a/{MODEL}/r1-a1/claim.json",
        f"requests/team-a/{MODEL}/r1-a1/request.json",
        f"requests/output/team-a/{MODEL}/{ATTEMPT}/1.out",
        f"requests/failure/team-a/{MODEL}/{ATTEMPT}/2.out",
        f"artifacts/team-a/{MODEL}/r1-a1.tar.gz",
        f"artifacts/team-a/{MODEL}/r1-a1.manifest.json",
        f"outputs/team-a/{REQUEST}/00-00-7.png",
        "outputs/team-a/holiday.png",
        "artifacts/base/model.tar.gz",
        f"photos/team-a/{MODEL}/00-00-7.png",
    ):
        put(key)

    owners = await backend.storage.owners(runtime_on(bucket))

    assert counted(list(owners)) == {
        f"s3://{bucket}/requests/team-a/{MODEL}/": (MODEL, "AvatarModel", 2),
        f"s3://{bucket}/requests/output/team-a/{MODEL}/": (MODEL, "AvatarModel", 1),
        f"s3://{bucket}/requests/failure/team-a/{MODEL}/": (MODEL, "AvatarModel", 1),
        f"s3://{bucket}/artifacts/team-a/{MODEL}/": (MODEL, "AvatarModel", 2),
        f"s3://{bucket}/outputs/team-a/{REQUEST}/": (REQUEST, "AvatarRequest", 1),
    }


async def test_prefixes_that_lie_in_each_other_are_counted_once(
    backend: Backend, bucket: str, put: Callable[[str], None]
) -> None:
    put(f"team-a/{MODEL}/r1-a1.tar.gz")
    put(f"team-a/{REQUEST}/00-00-7.png")
    everything = f"s3://{bucket}/"
    runtime = runtime_on(bucket, artifacts=everything, outputs=everything, requests=f"{everything}requests/")

    owners = await backend.storage.owners(runtime)

    assert counted(list(owners)) == {
        f"{everything}team-a/{MODEL}/": (MODEL, "AvatarModel", 1),
        f"{everything}team-a/{REQUEST}/": (REQUEST, "AvatarRequest", 1),
    }


def test_the_newest_object_tells_the_age_of_what_its_owner_has() -> None:
    census = Census(runtime_storage(runtime_on("bucket")))
    for revision, age in ((1, 50.0), (2, 20.0), (3, 70.0)):
        census.count(f"s3://bucket/artifacts/team-a/{MODEL}/r{revision}-a1.tar.gz", age)

    assert [owner.age_seconds for owner in census.result()] == [20.0]


async def test_ages_are_those_that_s3_itself_tells(
    backend: Backend,
    bucket: str,
    put: Callable[[str], None],
    upload: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(f"outputs/team-a/{REQUEST}/00-00-7.png")
    upload(f"artifacts/team-a/{MODEL}/r1-a1.tar.gz")
    for module in (s3_objects, s3_uploads):
        monkeypatch.setattr(
            module,
            "age_seconds",
            lambda answer, _: float(len(answer["ResponseMetadata"]["HTTPHeaders"]["date"])),
        )

    owners = await backend.storage.owners(runtime_on(bucket))

    assert [owner.age_seconds for owner in owners] == [29.0, 29.0], "an HTTP date has 29 letters"


async def test_long_listings_are_read_page_by_page(
    backend: Backend, bucket: str, put: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_objects, "LISTED_PER_PAGE", 2)
    for number in range(5):
        put(f"outputs/team-a/{REQUEST}/00-00-{number}.png")

    (owner,) = await backend.storage.owners(runtime_on(bucket))

    assert owner.objects == 5


async def test_a_look_ends_however_much_there_is(
    backend: Backend, bucket: str, put: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_objects, "LISTED_PER_PAGE", 1)
    monkeypatch.setattr(s3_owners, "MAX_PAGES", 2)
    for number in range(5):
        put(f"outputs/team-a/{REQUEST}/00-00-{number}.png")

    (owner,) = await backend.storage.owners(runtime_on(bucket))

    assert owner.objects == 2


async def test_an_upload_that_was_never_completed_has_an_owner_and_goes_with_it(
    backend: Backend, bucket: str, upload: Callable[[str], None], s3: Any
) -> None:
    upload(f"artifacts/team-a/{MODEL}/r1-a1.tar.gz")
    upload(f"elsewhere/team-a/{MODEL}/r1-a1.tar.gz")
    runtime = runtime_on(bucket)

    (owner,) = await backend.storage.owners(runtime)
    assert owner.objects == 1
    report = await backend.storage.delete_owned(runtime, owner)

    assert report.left_behind == ()
    assert await backend.storage.owners(runtime) == []
    left = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [entry["Key"] for entry in left] == [f"elsewhere/team-a/{MODEL}/r1-a1.tar.gz"]


async def test_more_uploads_than_one_call_ends_are_reported_and_go_with_the_next(
    backend: Backend, bucket: str, upload: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_uploads, "MAX_UPLOADS_PER_CALL", 2)
    for attempt in (1, 2, 3):
        upload(f"artifacts/team-a/{MODEL}/r1-a{attempt}.tar.gz")
    runtime = runtime_on(bucket)
    (owner,) = await backend.storage.owners(runtime)

    first = await backend.storage.delete_owned(runtime, owner)

    assert "more than 2 unfinished uploads" in first.left_behind[0]
    assert (await backend.storage.delete_owned(runtime, owner)).left_behind == ()
    assert await backend.storage.owners(runtime) == []


async def test_a_bucket_that_is_gone_owes_nothing_to_anybody(backend: Backend) -> None:
    assert await backend.storage.owners(runtime_on("no-such-bucket")) == []


async def test_nothing_is_to_be_marked_in_a_bucket_that_is_gone(backend: Backend) -> None:
    runtime = runtime_on("no-such-bucket")
    directory = OwnedDirectory(
        "team-a", MODEL, "AvatarModel", f"s3://no-such-bucket/artifacts/team-a/{MODEL}/"
    )

    await backend.storage.mark_retained(runtime, directory)

    assert await backend.storage.owners(runtime) == []
