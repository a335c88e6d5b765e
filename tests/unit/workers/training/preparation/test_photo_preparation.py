"""A verdict on every photo, and a failure only when too few are left."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageFilter, ImageOps

from avatar_api.documents.training import PhotoLocation, PhotoPolicy, TrainingRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.storage import S3ObjectStorage, StorageDenied
from avatar_workers.training.preparation.photo_preparation import PreparedPhotos, prepare_photos

RequestBuilder = Callable[..., TrainingRequest]
PhotoDrawing = Callable[[int], bytes]


def prepare(request: TrainingRequest, storage: S3ObjectStorage) -> PreparedPhotos:
    return prepare_photos(
        request.photos,
        request.photo_policy,
        storage,
        resolution=64,
        on_photo=lambda done: None,
        check=lambda: None,
    )


def changed(photo: bytes, change: Callable[[Image.Image], Image.Image], **options: int) -> bytes:
    buffer = io.BytesIO()
    change(Image.open(io.BytesIO(photo))).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_good_photos_become_squares_of_the_resolution(
    training_request: RequestBuilder, storage: S3ObjectStorage
) -> None:
    prepared = prepare(training_request(), storage)
    assert [picture.size for picture in prepared.pictures] == [(64, 64)] * 3
    assert [verdict.rejection for verdict in prepared.verdicts] == [None] * 3


@pytest.mark.parametrize(
    ("rejection", "flaw"),
    [
        ("Blurred", lambda p: changed(p, lambda i: i.filter(ImageFilter.GaussianBlur(12)))),
        ("TooSmall", lambda p: changed(p, lambda i: i.resize((63, 128)))),
        ("Unreadable", lambda p: p[: len(p) // 2]),
        ("UnsupportedFormat", lambda p: b"I am no picture"),
        ("UnsupportedFormat", lambda p: b""),
        ("TooManyBytes", lambda p: p + bytes(1 << 20)),
    ],
)
def test_a_flawed_photo_is_rejected_and_the_others_are_used(
    training_request: RequestBuilder,
    storage: S3ObjectStorage,
    draw_photo: PhotoDrawing,
    rejection: str,
    flaw: Callable[[bytes], bytes],
) -> None:
    request = training_request([draw_photo(0), flaw(draw_photo(1)), draw_photo(2)])
    prepared = prepare(request, storage)
    assert [verdict.rejection for verdict in prepared.verdicts] == [None, rejection, None]
    assert prepared.verdicts[1].message
    assert len(prepared.pictures) == 2


class StorageThatDenies(S3ObjectStorage):
    """Stands in for an S3 that tells nobody whether something is not there or not to be read."""

    def __init__(self, *uris: str) -> None:
        super().__init__()
        self._uris = uris

    def read(self, uri: str, **rest: Any) -> bytes:
        if uri in self._uris:
            raise StorageDenied(uri, "the worker's role may not GetObject here (AccessDenied)")
        return super().read(uri, **rest)


def test_a_photo_that_is_denied_may_have_been_deleted_and_the_others_are_used(
    training_request: RequestBuilder,
) -> None:
    request = training_request()
    prepared = prepare(request, StorageThatDenies(request.photos[1].uri))
    assert [verdict.rejection for verdict in prepared.verdicts] == [None, "NotFound", None]


def test_where_every_photo_is_denied_it_is_not_the_photos_fault(training_request: RequestBuilder) -> None:
    request = training_request()
    with pytest.raises(StorageDenied):
        prepare(request, StorageThatDenies(*(photo.uri for photo in request.photos)))


@pytest.mark.parametrize("change", [lambda image: image, ImageOps.mirror])
def test_the_same_photo_again_is_a_duplicate_even_if_mirrored_and_recompressed(
    training_request: RequestBuilder,
    storage: S3ObjectStorage,
    draw_photo: PhotoDrawing,
    change: Callable[[Image.Image], Image.Image],
) -> None:
    again = changed(draw_photo(0), change, quality=60)
    prepared = prepare(training_request([draw_photo(0), again, draw_photo(2)]), storage)
    assert [verdict.rejection for verdict in prepared.verdicts] == [None, "Duplicate", None]


def test_a_missing_photo_is_a_verdict_not_a_failure(
    training_request: RequestBuilder, storage: S3ObjectStorage, s3: Any, bucket: str
) -> None:
    request = training_request()
    s3.delete_object(Bucket=bucket, Key="photos/1.jpg")
    verdicts = prepare(request, storage).verdicts
    assert [verdict.rejection for verdict in verdicts] == [None, "NotFound", None]


def test_a_photo_that_was_swapped_after_acceptance_is_not_used(
    training_request: RequestBuilder, storage: S3ObjectStorage, s3: Any, bucket: str, draw_photo: PhotoDrawing
) -> None:
    request = training_request()
    etag = s3.head_object(Bucket=bucket, Key="photos/1.jpg")["ETag"]
    photos = [*request.photos[:1], PhotoLocation(uri=request.photos[1].uri, etag=etag), *request.photos[2:]]
    s3.put_object(Bucket=bucket, Key="photos/1.jpg", Body=draw_photo(9))
    verdicts = prepare(request.model_copy(update={"photos": photos}), storage).verdicts
    assert verdicts[1].rejection == "NotFound"
    assert "overwritten" in verdicts[1].message


def test_too_few_usable_photos_fail_with_all_verdicts(
    training_request: RequestBuilder, storage: S3ObjectStorage, draw_photo: PhotoDrawing
) -> None:
    request = training_request([draw_photo(0), b"no", draw_photo(0)], min_count=2)
    with pytest.raises(WorkerFailure, match="1 of 3 photos are usable, at least 2 are needed") as caught:
        prepare(request, storage)
    assert caught.value.code == "TooFewUsablePhotos"
    assert caught.value.http_status == 422
    assert [verdict.rejection for verdict in caught.value.document.photos or []] == [
        None,
        "UnsupportedFormat",
        "Duplicate",
    ]


def test_every_photo_counts_towards_progress(
    training_request: RequestBuilder, storage: S3ObjectStorage, draw_photo: PhotoDrawing
) -> None:
    request = training_request([draw_photo(0), b"no", draw_photo(2)])
    done: list[int] = []
    policy = PhotoPolicy(min_count=1, max_count=3, max_bytes=1 << 20)
    prepare_photos(request.photos, policy, storage, resolution=64, on_photo=done.append, check=lambda: None)
    assert done == [1, 2, 3]
