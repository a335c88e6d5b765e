"""Deletion deletes: own prefixes only, all versions, in batches, and says what stayed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from avatar_operator.aws import s3_deletion
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_deletion import NotRemoved
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.aws.s3_uploads import S3Uploads
from avatar_operator.backends.s3.cleanup import delete_below, is_anything_below
from avatar_operator.backends.selection import Backend
from avatar_operator.locations import picture_prefix
from builders.backend_objects import BUCKET, REGION, make_model, make_request, make_runtime


@pytest.fixture
def keys(s3: Any) -> Callable[[str], set[str]]:
    def listed(prefix: str) -> set[str]:
        return {
            entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        }

    return listed


async def test_a_models_documents_go_and_its_artifacts_stay_if_told_so(
    backend: Backend, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    model = make_model()
    own = f"team-a/{model.metadata.uid}"
    gone = {f"requests/{own}/r1-a1/claim.json", f"requests/{own}/r2-a1/request.json"}
    kept = {f"artifacts/{own}/r1-a1.tar.gz"}
    for key in gone | kept:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    await backend.storage.delete_model_data(make_runtime(), model, artifacts=False)
    assert keys(f"artifacts/{own}") == kept
    assert keys(f"requests/{own}") == set()
    await backend.storage.delete_model_data(make_runtime(), model, artifacts=True)
    assert keys(f"artifacts/{own}") == set()


async def test_what_was_only_begun_to_be_uploaded_is_not_kept_with_the_artifacts(
    backend: Backend, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    model = make_model()
    own = f"artifacts/team-a/{model.metadata.uid}/"
    s3.put_object(Bucket=BUCKET, Key=f"{own}r1-a1.tar.gz", Body=b"x")
    begun = s3.create_multipart_upload(Bucket=BUCKET, Key=f"{own}r2-a1.tar.gz")
    s3.upload_part(
        Bucket=BUCKET,
        Key=f"{own}r2-a1.tar.gz",
        UploadId=begun["UploadId"],
        PartNumber=1,
        Body=b"half a likeness",
    )

    report = await backend.storage.delete_model_data(make_runtime(), model, artifacts=False)

    assert report.left_behind == ()
    assert keys(own) == {f"{own}r1-a1.tar.gz"}
    assert s3.list_multipart_uploads(Bucket=BUCKET, Prefix=own).get("Uploads", []) == []


async def test_an_upload_that_was_only_begun_is_data_of_a_request_although_no_listing_shows_it(
    backend: Backend, s3: Any
) -> None:
    runtime, request = make_runtime(), make_request()
    assert not await backend.storage.holds_request_data(runtime, request)
    key = f"outputs/team-a/{request.metadata.uid}/00-00-1.png"
    s3.create_multipart_upload(Bucket=BUCKET, Key=key)

    pictures = await backend.storage.existing_pictures(runtime, picture_prefix(runtime, request))
    assert pictures == frozenset()
    assert await backend.storage.holds_request_data(runtime, request)
    await backend.storage.delete_request_data(runtime, request)
    assert not await backend.storage.holds_request_data(runtime, request)


async def test_a_neighbour_whose_uid_begins_alike_keeps_everything(
    backend: Backend, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    model = make_model()
    neighbour = f"artifacts/team-a/{model.metadata.uid}0/r1-a1.tar.gz"
    s3.put_object(Bucket=BUCKET, Key=neighbour, Body=b"x")
    await backend.storage.delete_model_data(make_runtime(), model, artifacts=True)
    assert keys(neighbour) == {neighbour}


async def test_every_version_and_delete_marker_goes(clients: AwsClients, s3: Any) -> None:
    bucket = f"versions-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="own/a", Body=body)
    s3.delete_object(Bucket=bucket, Key="own/a")
    objects, own = S3Objects(clients, REGION), S3Location(bucket, "own/")
    assert (await objects.list_below(own, limit=1), await is_anything_below(objects, own)) == ([], True)
    report = await delete_below(objects, [own])
    assert report.left_behind == ()
    assert not await is_anything_below(objects, own)
    s3.delete_bucket(Bucket=bucket)
    assert not await is_anything_below(objects, own)


async def test_more_objects_than_one_call_may_name_are_removed_in_batches(
    clients: AwsClients, s3: Any, keys: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_deletion, "DELETE_BATCH", 2)
    prefix = f"many/{uuid.uuid4().hex}/"
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{number}", Body=b"")
    await delete_below(S3Objects(clients, REGION), [S3Location(BUCKET, prefix)])
    assert keys(prefix) == set()


async def test_what_is_too_much_for_one_call_is_reported_and_goes_with_the_next(
    clients: AwsClients, s3: Any, keys: Callable[[str], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_deletion, "MAX_DELETED_PER_CALL", 2)
    prefix = S3Location(BUCKET, f"many/{uuid.uuid4().hex}/")
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix.key}{number}", Body=b"")
    first = await delete_below(S3Objects(clients, REGION), [prefix])
    assert "more than 2 objects" in first.left_behind[0]
    assert (await delete_below(S3Objects(clients, REGION), [prefix])).left_behind == ()
    assert keys(prefix.key) == set()


async def test_a_bucket_that_is_gone_holds_nothing_any_more(clients: AwsClients) -> None:
    report = await delete_below(S3Objects(clients, REGION), [S3Location("no-such-bucket", "own/")])
    assert report.left_behind == ()


class RefusingObjects(S3Objects):
    """S3 that refuses one prefix: our S3 here lets everybody do everything."""

    def __init__(self, clients: AwsClients, refused: S3Location, error: AwsFailure) -> None:
        super().__init__(clients, REGION)
        self._refused = refused
        self._error = error

    async def delete_below(self, prefix: S3Location) -> list[NotRemoved]:
        if prefix == self._refused:
            raise self._error
        return await super().delete_below(prefix)


async def test_what_may_not_be_removed_is_reported_and_the_rest_goes(
    clients: AwsClients, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    refused, other = [S3Location(BUCKET, f"denied/{uuid.uuid4().hex}/") for _ in range(2)]
    s3.put_object(Bucket=BUCKET, Key=f"{other.key}a", Body=b"x")
    denial = AwsFailure("AccessDenied", f"could not delete {refused.uri}", retryable=True)
    with capture_logs() as lines:
        report = await delete_below(RefusingObjects(clients, refused, denial), [refused, other])
    assert report.left_behind == (f"{refused.uri} (AccessDenied)",)
    assert [line["said"] for line in lines] == [f"could not delete {refused.uri}"]
    assert keys(other.key) == set()


class RefusedUploads(S3Uploads):
    """S3 that refuses to list uploads: our S3 here lets everybody do everything."""

    async def abort_below(self, prefix: S3Location) -> list[NotRemoved]:
        raise AwsFailure("AccessDenied", f"could not abort uploads below {prefix.uri}", retryable=True)


async def test_uploads_that_may_not_be_looked_for_are_reported_and_the_objects_go(
    clients: AwsClients, s3: Any, keys: Callable[[str], set[str]]
) -> None:
    prefix = S3Location(BUCKET, f"own/{uuid.uuid4().hex}/")
    s3.put_object(Bucket=BUCKET, Key=f"{prefix.key}a", Body=b"x")
    objects = S3Objects(clients, REGION)
    objects.uploads = RefusedUploads(clients, REGION)
    report = await delete_below(objects, [prefix])
    assert report.left_behind == (f"{prefix.uri} (AccessDenied)",)
    assert keys(prefix.key) == set()


async def test_trouble_that_passes_is_raised(clients: AwsClients) -> None:
    prefix = S3Location(BUCKET, "own/")
    trouble = AwsFailure("AwsUnavailable", "later", retryable=True)
    with pytest.raises(AwsFailure, match="trouble of its own"):
        await delete_below(RefusingObjects(clients, prefix, trouble), [prefix])
