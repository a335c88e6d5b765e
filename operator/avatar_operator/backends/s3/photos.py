"""The photos that a model names, pinned: by ETag always, by version where the bucket has versions.

Pinned, because a training may start hours later: a photo exchanged in the meantime is noticed, never trained on.

Photos that may not be read are waited for: a role that gets its permission late is the platform's affair, and no fault
of the model that names them.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel, PhotoObject
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import PhotoLocation
from avatar_api.literal_locations import is_literal
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import ObjectFacts, S3Objects
from avatar_operator.backends.aws_failures import backend_error
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM

COUNT_MARGIN = 10
"""Photos read beyond what the runtime allows: enough to say "too many" with a number."""
MAX_NAMED = 5


async def list_photos(
    objects: S3Objects, runtime: AvatarRuntime, model: AvatarModel
) -> Sequence[PhotoLocation]:
    """See Storage.list_photos."""
    named = model.spec.photos.objects
    if named is None:
        limit = runtime.spec.limits.photos.max_count + COUNT_MARGIN
        named = await _photos_under(objects, model.spec.photos.s3_prefix or "", limit)
    return await _pinned(objects, named)


async def _photos_under(objects: S3Objects, prefix_uri: str, limit: int) -> list[PhotoObject]:
    with _about(prefix_uri):
        listed = await objects.list_directly(S3Location.told(prefix_uri), limit=limit)
    if not listed:
        raise BackendError(
            "PhotosNotFound",
            f"there is no photo directly under {prefix_uri}. Upload some, or correct spec.photos.s3Prefix.",
            retryable=False,
        )
    return [_named(entry.location) for entry in listed]


def _named(location: S3Location) -> PhotoObject:
    # A prefix takes whatever somebody uploads there, a document does not.
    try:
        photo = PhotoObject(uri=location.uri)
    except ValidationError as error:
        raise _unreadable(
            location, "a name with a line break, or one that makes more than 1024 characters of it"
        ) from error
    if not is_literal(photo.uri):
        raise _unreadable(
            location,
            "a name that others may read as another: . or .., a backslash, a control character, or %2e, %2f, %5c",
        )
    return photo


def _unreadable(location: S3Location, has: str) -> BackendError:
    return BackendError("PhotosUnreadable", f"{location.uri!r} has {has}. Rename the photo.", retryable=False)


async def _pinned(objects: S3Objects, named: Sequence[PhotoObject]) -> list[PhotoLocation]:
    found = await asyncio.gather(*(_facts(objects, photo) for photo in named))
    missing = [photo.uri for photo, facts in zip(named, found, strict=True) if facts is None]
    if missing:
        shown = ", ".join(missing[:MAX_NAMED]) + (", ..." if len(missing) > MAX_NAMED else "")
        raise BackendError(
            "PhotosNotFound",
            f"{len(missing)} of {len(named)} photos are not there: {shown}. Upload them, or correct spec.photos.",
            retryable=False,
        )
    return [
        PhotoLocation(uri=photo.uri, version_id=facts.version_id, etag=facts.etag)
        for photo, facts in zip(named, found, strict=True)
        if facts is not None
    ]


async def _facts(objects: S3Objects, photo: PhotoObject) -> ObjectFacts | None:
    with _about(photo.uri):
        return await objects.facts(S3Location.told(photo.uri), version_id=photo.version_id)


@contextmanager
def _about(location: str) -> Iterator[None]:
    """Say of what AWS refuses which of the model's own locations it was asked for."""
    try:
        yield
    except AwsFailure as error:
        raise _failure(error, location) from error


def _failure(error: AwsFailure, location: str) -> BackendError:
    match error.reason:
        case "AccessDenied":
            return BackendError(
                "PhotosDenied",
                f"the operator may not read {location}. Check the location: without s3:ListBucket, S3 says the same of a"
                f" photo that is not there. If it is right: {FOR_THE_PLATFORM_TEAM} It is tried again.",
                retryable=True,
                said=error.said,
            )
        case "BucketNotFound":
            message = f"the bucket of {location} is not there. Correct spec.photos."
            return BackendError("PhotosNotFound", message, retryable=False, said=error.said)
        case "AwsRejected" | "InvalidLocation":
            message = f"S3 takes no such location, or no such version: {location}. Correct spec.photos."
            return BackendError(error.reason, message, retryable=False, said=error.said)
    return backend_error(error)
