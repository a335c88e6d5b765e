"""The photos that a model names, pinned: by ETag always, by version where the bucket has versions.

Pinned, because a training may start hours later: a photo exchanged in the meantime is noticed, never trained on.

Photos that may not be read are waited for: a role that gets its permission late is the platform's affair, and no fault
of the model that names them.
"""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel, PhotoObject
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import PhotoLocation
from avatar_api.literal_locations import is_literal
from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.failures import BackendError

COUNT_MARGIN = 10
"""Photos read beyond what the runtime allows: enough to say "too many" with a number."""
MAX_NAMED = 5


async def list_photos(
    objects: S3Objects, runtime: AvatarRuntime, model: AvatarModel
) -> Sequence[PhotoLocation]:
    """See Storage.list_photos."""
    named = model.spec.photos.objects
    try:
        if named is None:
            limit = runtime.spec.limits.photos.max_count + COUNT_MARGIN
            named = await _photos_under(objects, model.spec.photos.s3_prefix or "", limit)
        return await _pinned(objects, named)
    except AwsFailure as error:
        if error.reason == "AccessDenied":
            raise BackendError(
                "PhotosDenied",
                f"{error.message} Check the photos' location, too: without s3:ListBucket, S3 says the same of a photo"
                " that is not there. It is tried again.",
                retryable=True,
            ) from error
        if error.reason == "BucketNotFound":
            raise BackendError("PhotosNotFound", error.message, retryable=False) from error
        raise


async def _photos_under(objects: S3Objects, prefix_uri: str, limit: int) -> list[PhotoObject]:
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
    found = await asyncio.gather(
        *(objects.facts(S3Location.told(photo.uri), version_id=photo.version_id) for photo in named)
    )
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
