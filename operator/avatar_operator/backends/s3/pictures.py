"""Pictures as they are stored: their names, and their checksums as S3 verified them."""

import asyncio
from collections.abc import Sequence

from avatar_api.avatar_request import Picture
from avatar_api.documents.inference import PictureRequest
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.failures import BackendError

MAX_LISTED = 1000


async def existing_pictures(objects: S3Objects, output_prefix: str) -> frozenset[str]:
    """See Storage.existing_pictures."""
    listed = await objects.list_directly(S3Location.parse(output_prefix), limit=MAX_LISTED)
    return frozenset(entry.location.name for entry in listed)


async def describe_pictures(
    objects: S3Objects, output_prefix: str, pictures: Sequence[PictureRequest]
) -> Sequence[Picture]:
    """See Storage.describe_pictures.

    Raises:
        BackendError: PictureMissing (retryable: draw it again), PictureUnverified if it has no checksum.
    """
    prefix = S3Location.parse(output_prefix)
    return await asyncio.gather(*(_describe(objects, prefix, picture) for picture in pictures))


async def _describe(objects: S3Objects, prefix: S3Location, picture: PictureRequest) -> Picture:
    location = prefix.below(picture.file_name())
    facts = await objects.facts(location)
    if facts is None:
        raise BackendError("PictureMissing", f"{location.uri} is not there", retryable=True)
    if facts.sha256 is None:
        raise BackendError(
            "PictureUnverified", f"{location.uri} was stored without a SHA-256 checksum", retryable=False
        )
    return Picture(
        uri=location.uri,
        prompt_index=picture.prompt_index,
        image_index=picture.image_index,
        seed=picture.seed,
        sha256=facts.sha256,
    )
