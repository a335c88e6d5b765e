"""Whose data lies below a runtime's prefixes, told by the keys alone: what has lost its object is found that way.

One flat listing sees everything in a thousandth of the calls that a walk through the directories would take. In a bucket
with versions, what has been deleted but for its old versions is not seen.
"""

import json
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime

import structlog

from avatar_operator.aws.errors import AwsFailure
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import JSON, S3Objects
from avatar_operator.backends.census import Census
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import RETAINED, OwnedDirectory, StorageLocations

MAX_PAGES = 1000
"""Pages that one look takes of each prefix, a thousand objects a page, so that it ends."""
log = structlog.get_logger(__name__)


async def owners(objects: S3Objects, storage: StorageLocations) -> Sequence[StoredOwner]:
    """See Storage.owners."""
    census = Census(storage)
    for root in storage.roots:
        try:
            await _count_below(objects, S3Location.parse(root), census)
        except AwsFailure as error:
            if error.reason != "BucketNotFound":
                raise
    return census.result()


async def mark_retained(objects: S3Objects, directory: OwnedDirectory, now: datetime) -> None:
    """See Storage.mark_retained."""
    location = S3Location.parse(directory.location)
    try:
        lies_there = await objects.list_below(location, limit=1)
    except AwsFailure as error:
        if error.reason != "BucketNotFound":
            raise
        return
    if lies_there:
        mark = {"kind": directory.kind, "uid": directory.uid, "since": now.isoformat()}
        await objects.write(location.below(RETAINED), json.dumps(mark).encode(), content_type=JSON)


async def _count_below(objects: S3Objects, root: S3Location, census: Census) -> None:
    # Uploads first: one that is completed meanwhile is then seen as the object that it became.
    for upload in await objects.uploads.list_below(root):
        census.count(upload.location.uri, upload.age_seconds)
    looked_at = 0
    async with aclosing(objects.pages_below(root)) as pages:
        async for page in pages:
            if looked_at == MAX_PAGES:
                log.warning("a prefix has more objects than are looked at", prefix=root.uri, pages=MAX_PAGES)
                return
            looked_at += 1
            for entry in page:
                census.count(entry.location.uri, entry.age_seconds)
