"""Photos that a model names: found, counted, pinned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import ListedObject, S3Objects
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.s3.photos import list_photos
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, REGION, make_model, make_runtime

VERSIONED = "avatars-of-tests-with-versions"


def put(s3: Any, key: str, body: bytes = b"photo", bucket: str = BUCKET) -> str:
    return str(s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", ""))


@pytest.fixture
def versioned(s3: Any) -> str:
    s3.create_bucket(Bucket=VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    return VERSIONED


async def test_only_objects_directly_under_the_prefix_are_photos(backend: Backend, s3: Any) -> None:
    model = make_model()
    uid = model.metadata.uid
    for name in ("", "1.png", "2.png", "deeper/", "deeper/3.png"):
        put(s3, f"photos/team-a/{uid}/{name}", b"" if name in ("", "deeper/") else b"photo")
    put(s3, f"photos/team-a/{uid}-neighbour/4.png")
    photos = await backend.storage.list_photos(make_runtime(), model)
    assert [photo.uri.rpartition("/")[2] for photo in photos] == ["1.png", "2.png"]


async def test_photos_are_pinned_by_their_versions(backend: Backend, s3: Any, versioned: str) -> None:
    version = put(s3, "ann/1.png", bucket=versioned)
    model = make_model({"s3Prefix": f"s3://{versioned}/ann/"})
    (photo,) = await backend.storage.list_photos(make_runtime(), model)
    assert photo.version_id == version
    put(s3, "ann/1.png", b"another face", bucket=versioned)
    (after,) = await backend.storage.list_photos(make_runtime(), model)
    assert after.version_id != version
    assert after.etag != photo.etag


async def test_a_named_version_is_the_one_that_is_pinned(backend: Backend, s3: Any, versioned: str) -> None:
    version = put(s3, "bob/1.png", b"old", bucket=versioned)
    put(s3, "bob/1.png", b"new", bucket=versioned)
    model = make_model({"objects": [{"uri": f"s3://{versioned}/bob/1.png", "versionId": version}]})
    (photo,) = await backend.storage.list_photos(make_runtime(), model)
    assert photo.version_id == version


async def test_no_more_photos_are_read_than_needed_to_say_too_many(backend: Backend, s3: Any) -> None:
    model = make_model()
    for number in range(30):
        put(s3, f"photos/team-a/{model.metadata.uid}/{number:02d}.png")
    photos = await backend.storage.list_photos(make_runtime(), model)
    assert 15 < len(photos) < 30


async def test_an_empty_prefix_says_what_to_do(backend: Backend) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.storage.list_photos(make_runtime(), make_model())
    assert (caught.value.reason, caught.value.retryable) == ("PhotosNotFound", False)
    assert "Upload some" in caught.value.message


async def test_missing_photos_are_named(backend: Backend, s3: Any) -> None:
    put(s3, "here.png")
    model = make_model({"objects": [{"uri": f"s3://{BUCKET}/{name}.png"} for name in ("here", "gone")]})
    with pytest.raises(BackendError, match=rf"1 of 2 photos are not there: s3://{BUCKET}/gone\.png"):
        await backend.storage.list_photos(make_runtime(), model)


async def test_a_missing_bucket_is_the_users_mistake(backend: Backend) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.storage.list_photos(
            make_runtime(), make_model({"s3Prefix": "s3://no-such-bucket/photos/"})
        )
    assert caught.value.reason == "PhotosNotFound"


class DeniedObjects(S3Objects):
    """S3 that lists nothing for us: our S3 here lets everybody do everything."""

    async def list_directly(self, prefix: S3Location, *, limit: int) -> list[ListedObject]:
        raise AwsFailure("AccessDenied", f"could not list {prefix.uri}", retryable=True)


async def test_photos_that_may_not_be_read_are_waited_for_under_a_name_of_their_own(
    clients: AwsClients,
) -> None:
    model = make_model()
    with pytest.raises(BackendError) as caught:
        await list_photos(DeniedObjects(clients, REGION), make_runtime(), model)
    assert (caught.value.reason, caught.value.retryable) == ("PhotosDenied", True)
    assert str(model.spec.photos.s3_prefix) in caught.value.message
    assert caught.value.said.mention("could not list")


class UploadedObjects(S3Objects):
    """S3 in which one photo lies, under any name: our S3 here takes fewer than AWS's does."""

    name = ""

    async def list_directly(self, prefix: S3Location, *, limit: int) -> list[ListedObject]:
        return [ListedObject(prefix.below(self.name), 1, "etag", datetime.now(UTC), 0.0)]


@pytest.mark.parametrize("name", ["1\n2.png", f"{'x' * 1010}.png", "1%2f2.png", "1\\2.png", ".."])
async def test_a_photo_whose_name_no_document_takes_is_refused_in_words(
    clients: AwsClients, name: str
) -> None:
    objects = UploadedObjects(clients, REGION)
    objects.name = name

    with pytest.raises(BackendError, match="Rename the photo") as caught:
        await list_photos(objects, make_runtime(), make_model())

    assert (caught.value.reason, caught.value.retryable) == ("PhotosUnreadable", False)
